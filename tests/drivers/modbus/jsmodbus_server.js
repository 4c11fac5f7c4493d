// A Modbus TCP server on jsmodbus: holding register n holds 1000 + n. Prints its port.
const jsmodbus = require('jsmodbus')
const net = require('net')

const holding = Buffer.alloc(2 * 100)
for (let at = 0; at < 100; at++) holding.writeUInt16BE(1000 + at, 2 * at)
const server = new net.Server()
new jsmodbus.server.TCP(server, { holding })
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
