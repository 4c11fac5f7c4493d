// An OPC UA server that nobody of this project wrote (node-opcua), for the tests of the driver.
// Arguments: port, folder for its own keys, JSON of options {namespaces: [uri...], maxSessions, securityMode, securityPolicy, discovery,
// anonymous, accept, pki}.
// It prints "ready" once it serves, and obeys one command a line on its standard input:
//   set NAME VALUE | status NAME STATUSCODE | delete NAME | add NAME VALUE | stop
// and answers each with "done".
"use strict";

const path = require("path");
const readline = require("readline");
const opcua = require("node-opcua");

const [port, folder, text] = process.argv.slice(2);
const options = Object.assign({ namespaces: ["urn:acme:press"] }, JSON.parse(text || "{}"));

const { DataType, StatusCodes, Variant, VariantArrayType } = opcua;

/** What each node holds at the start, by the name in its node id. */
const PRESS = {
  OilTemperature: { dataType: DataType.Float, value: 71.3 },
  OilPressure: { dataType: DataType.Double, value: 182.5 },
  Running: { dataType: DataType.Boolean, value: true },
  Strokes: { dataType: DataType.Int32, value: 1004 },
  Energy: { dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [1, 5] }, // 2^32 + 5
  Small: { dataType: DataType.SByte, value: -5 },
  Recipe: { dataType: DataType.String, value: "Döner 7" },
  Started: { dataType: DataType.DateTime, value: new Date("2026-11-24T10:15:00.250Z") },
  Blob: { dataType: DataType.ByteString, value: Buffer.from([1, 2, 3]) },
  Profile: { dataType: DataType.Double, arrayType: VariantArrayType.Array, value: new Float64Array([1, 2, 3]) },
  NotANumber: { dataType: DataType.Double, value: NaN },
};

const nodes = {};

function addVariable(namespace, parent, name, variant) {
  const node = namespace.addVariable({
    componentOf: parent,
    browseName: name,
    nodeId: `s=Press1.${name}`,
    dataType: DataType[variant.dataType],
    valueRank: variant.arrayType === VariantArrayType.Array ? 1 : -1,
    minimumSamplingInterval: 10,
    value: new Variant(variant),
  });
  nodes[name] = node;
  return node;
}

function addOther(namespace, parent, number) {
  // The same names in another namespace, with other values: a tag that mixes them up is found out.
  namespace.addVariable({
    componentOf: parent,
    browseName: `Other${number}`,
    nodeId: "s=Press1.OilTemperature",
    dataType: "Double",
    value: new Variant({ dataType: DataType.Double, value: -1000 - number }),
  });
}

async function main() {
  const server = new opcua.OPCUAServer({
    port: Number(port),
    hostname: "127.0.0.1",
    nodeset_filename: [opcua.nodesets.standard],
    securityModes: [opcua.MessageSecurityMode[options.securityMode || "None"]],
    securityPolicies: [opcua.SecurityPolicy[options.securityPolicy || "None"]],
    disableDiscovery: options.securityPolicy !== undefined && !options.discovery,
    allowAnonymous: options.anonymous !== false,
    userManager: { isValidUser: (user, password) => user === "gateway" && password === "geheim" },
    serverCertificateManager: new opcua.OPCUACertificateManager({
      rootFolder: path.join(folder, options.pki || "pki"),
      automaticallyAcceptUnknownCertificate: options.accept !== false,
    }),
    userCertificateManager: new opcua.OPCUACertificateManager({ rootFolder: path.join(folder, "users") }),
    serverCapabilities: { maxSessions: options.maxSessions || 10 },
    serverInfo: { applicationUri: "urn:acme:press-server" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  options.namespaces.forEach((uri, number) => {
    const namespace = space.registerNamespace(uri);
    const parent = namespace.addObject({ organizedBy: space.rootFolder.objects, browseName: `Cell${number}` });
    if (uri !== "urn:acme:press") {
      addOther(namespace, parent, number);
      return;
    }
    options.cell = { namespace, parent };
    for (const [name, variant] of Object.entries(PRESS)) addVariable(namespace, parent, name, variant);
  });
  await server.start();
  console.log("ready");
  const input = readline.createInterface({ input: process.stdin });
  input.on("line", (line) => obey(server, space, line.split(" ")));
  input.on("close", () => process.exit(0)); // whoever started it has gone
}

async function obey(server, space, [verb, name, value]) {
  const node = nodes[name];
  if (verb === "set") {
    const { dataType } = node.readValue().value;
    node.setValueFromSource({ dataType, value: JSON.parse(value) });
  } else if (verb === "status") {
    const { value: held } = node.readValue();
    node.setValueFromSource(held, StatusCodes[value]);
  } else if (verb === "delete") {
    space.deleteNode(node.nodeId);
  } else if (verb === "add") {
    const { namespace, parent } = options.cell;
    addVariable(namespace, parent, name, { dataType: DataType.Double, value: JSON.parse(value) });
  } else if (verb === "stop") {
    await server.shutdown(0);
    process.exit(0);
  }
  console.log("done");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
