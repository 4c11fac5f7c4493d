/* A Modbus server on libmodbus with known values, to hold the driver against code that others wrote.
   Serves one client after the other on a free port of 127.0.0.1, which it prints; with the path of a serial port as its
   argument it is unit 1 there, at 19200 baud without parity. */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int port_of(int listener) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static void fill(modbus_mapping_t *map) {
    for (int i = 0; i < map->nb_bits; i++) map->tab_bits[i] = i % 3 == 0;
    for (int i = 0; i < map->nb_input_bits; i++) map->tab_input_bits[i] = i % 5 == 0;
    for (int i = 0; i < map->nb_registers; i++) map->tab_registers[i] = 1000 + i;
    for (int i = 0; i < map->nb_input_registers; i++) map->tab_input_registers[i] = 60000 + i;
    /* 71.3f is 42 8E 99 9A. Written by hand: libmodbus before 3.1.7 swaps the bytes in its modbus_set_float_*. */
    const uint16_t orders[8] = {0x428E, 0x999A, 0x999A, 0x428E, 0x8E42, 0x9A99, 0x9A99, 0x8E42};
    memcpy(&map->tab_registers[10], orders, sizeof orders);
    const uint32_t negative = (uint32_t)-70000;
    map->tab_registers[18] = (uint16_t)(negative >> 16);
    map->tab_registers[19] = (uint16_t)(negative & 0xFFFF);
}

static void serve(modbus_t *context, modbus_mapping_t *map) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int length;
    while ((length = modbus_receive(context, query)) >= 0)
        if (length > 0) modbus_reply(context, query, length, map);
}

static int serve_bus(const char *port, modbus_mapping_t *map) {
    modbus_t *context = modbus_new_rtu(port, 19200, 'N', 8, 1);
    modbus_set_slave(context, 1);
    if (modbus_connect(context) < 0) return EXIT_FAILURE;
    printf("ready\n");
    fflush(stdout);
    for (;;) serve(context, map);
}

int main(int count, char **arguments) {
    modbus_mapping_t *map = modbus_mapping_new(2000, 40, 130, 130);
    if (map == NULL) return EXIT_FAILURE;
    fill(map);
    if (count > 1) return serve_bus(arguments[1], map);
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    int listener = modbus_tcp_listen(context, 1);
    if (listener < 0) return EXIT_FAILURE;
    printf("%d\n", port_of(listener));
    fflush(stdout);
    while (modbus_tcp_accept(context, &listener) >= 0) {
        serve(context, map);
        modbus_close(context);
    }
    return EXIT_FAILURE;
}
