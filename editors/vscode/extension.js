// Starts `actc lsp` for .act files; everything else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async function () {
  const settings = workspace.getConfiguration("actc");
  const server = { command: settings.get("path", "actc"), args: ["lsp", ...settings.get("arguments", [])] };
  client = new LanguageClient("actc", "actc", server, {
    documentSelector: [{ language: "act" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.act") },
  });
  await client.start();
};

exports.deactivate = function () {
  return client && client.stop();
};
