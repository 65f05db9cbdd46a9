/** package.json's version, put in by scripts/build.mjs. */
declare const PLUGIN_VERSION: string
/** Where ssh2 lies beside the built host; absent where the sources run. */
declare const SSH2_MODULE: string | undefined
