/** package.json's version, put in by scripts/build.mjs. */
declare const PLUGIN_VERSION: string
