/* Unit 3 on a serial port at 19200 baud, on libmodbus: holding register n holds 1000 + n, input register n 60000 + n.
   The port is its only argument. It says when it is ready. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    modbus_t *context = argc == 2 ? modbus_new_rtu(argv[1], 19200, 'N', 8, 1) : NULL;
    modbus_mapping_t *map = modbus_mapping_new(40, 40, 130, 130);
    if (context == NULL || map == NULL || modbus_set_slave(context, 3) || modbus_connect(context)) return EXIT_FAILURE;
    for (int i = 0; i < map->nb_registers; i++) map->tab_registers[i] = 1000 + i;
    for (int i = 0; i < map->nb_input_registers; i++) map->tab_input_registers[i] = 60000 + i;
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int length = modbus_receive(context, query);
        if (length > 0) modbus_reply(context, query, length, map);
    }
}
