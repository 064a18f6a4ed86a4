// For this repository alone, where the client stands two folders above: an application that has it from npm needs none.
const { join } = require('node:path')
const { getDefaultConfig } = require('expo/metro-config')

const root = join(__dirname, '../..')
const config = getDefaultConfig(__dirname)
config.watchFolders = [root]
config.resolver.nodeModulesPaths = [join(__dirname, 'node_modules'), join(root, 'node_modules')]
// The hooks of the client have to be those of the one React of the application.
config.resolver.resolveRequest = (context, name, platform) => {
  const isReact = /^react(\/|$)/.test(name)
  return context.resolveRequest(isReact ? { ...context, originModulePath: __filename } : context, name, platform)
}
module.exports = config
