// What the Khronos glTF validator says of a file, as JSON.
const validator = require("gltf-validator");
const fs = require("fs");

validator
  .validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))
  .then((report) => console.log(JSON.stringify(report)));
