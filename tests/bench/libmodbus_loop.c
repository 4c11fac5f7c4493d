/* The plainest reader there is: 100 connections, one after the other, 100 registers each, with libmodbus.
   Usage: libmodbus_loop PORT ROUNDS. Prints the processor time of one request in microseconds. */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { DEVICES = 100, REGISTERS = 100 };

static double processor_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
    modbus_t *devices[DEVICES];
    uint16_t registers[REGISTERS];
    if (argc != 3) return EXIT_FAILURE;
    for (int i = 0; i < DEVICES; i++) {
        devices[i] = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
        if (devices[i] == NULL || modbus_connect(devices[i]) != 0) return EXIT_FAILURE;
    }
    const int rounds = atoi(argv[2]);
    const double begun = processor_us();
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < DEVICES; i++)
            if (modbus_read_registers(devices[i], 0, REGISTERS, registers) != REGISTERS) return EXIT_FAILURE;
    printf("%.3f\n", (processor_us() - begun) / (rounds * DEVICES));
    for (int i = 0; i < DEVICES; i++) {
        modbus_close(devices[i]);
        modbus_free(devices[i]);
    }
    return EXIT_SUCCESS;
}
