import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changeConfigFile, keepInConfigFile, loadConfig, readConfigFile } from '../../../src/config/load.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ollama-remote-config-'))
  file = join(folder, 'ollama_config.lua')
})

afterEach(() => rm(folder, { recursive: true }))

describe('loadConfig', () => {
  it('takes an absent file for an empty one, and makes none', async () => {
    const { config, problems } = await loadConfig({ default_model: 'm' }, file)
    expect({ model: config.defaultModel, problems }).toEqual({ model: 'm', problems: [] })
    expect(await readdir(folder)).toEqual([])
  })

  it('lets the file win over setup(), key by key', async () => {
    await writeFile(file, 'return { default_model = "kept", last_updated = "2026-01-01" }')
    const { config, problems } = await loadConfig({ default_model: 'written', system: 'Be short.' }, file)
    expect(problems).toEqual([])
    expect(config).toMatchObject({ defaultModel: 'kept', system: 'Be short.' })
  })

  it('puts servers together by name: the file wins for each, and drives no other out', async () => {
    await writeFile(file, 'return { servers = { gpu = { url = "http://file:1" }, lab = {} } }')
    const setup = { servers: { gpu: { ssh: 'me@gpubox' }, home: { url: 'http://setup:1' } } }
    const { config, problems, written } = await loadConfig(setup, file)
    expect(problems).toEqual([])
    expect(config.servers.map(({ name, ssh, url }) => [name, ssh?.host, url.host])).toEqual([
      ['gpu', undefined, 'file:1'],
      ['home', undefined, 'setup:1'],
      ['lab', undefined, '127.0.0.1:11434'],
    ])
    expect(written).toEqual({ setup, file: { servers: { gpu: { url: 'http://file:1' }, lab: {} } } })
  })

  it('leaves out only the server that is wrong', async () => {
    await writeFile(file, 'return { servers = { gpu = { ssh = "me@gpubox" }, lab = { uri = "http://x" } } }')
    const { config, problems } = await loadConfig({}, file)
    expect(config.servers.map(({ name }) => name)).toEqual(['gpu'])
    expect(problems).toMatchObject([{ message: expect.stringContaining('unknown option servers.lab.uri') }])
  })

  it('leaves out only the options that are wrong, and tells them by path', async () => {
    await writeFile(file, 'return { default_model = "kept", colour = "red" }')
    const setup = { servers: { gpu: { ssh: 'me@gpubox' } }, sytem: 'typo', think: 'maybe' }
    const { config, problems } = await loadConfig(setup, file)
    expect(config).toMatchObject({ defaultModel: 'kept', servers: [{ name: 'gpu' }], think: undefined })
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_INVALID', 'CONFIG_INVALID'])
    expect(problems[0]?.message).toMatch(/setup\(\): .*sytem/)
    expect(problems[0]?.message).toMatch(/think/)
    expect(problems[1]?.message).toMatch(/ollama_config\.lua: .*colour/)
  })

  it('lets default server and servers stand in different parts', async () => {
    await writeFile(file, 'return { default_server = "b" }')
    const { config, problems } = await loadConfig({ servers: { a: {}, b: {} } }, file)
    expect(problems).toEqual([])
    expect(config.servers.map(({ name }) => name)).toEqual(['b', 'a'])
  })

  it('tells a default server that is in neither part, and goes on with the defaults', async () => {
    const { config, problems } = await loadConfig({ default_server: 'b' }, file)
    expect(problems).toMatchObject([{ code: 'CONFIG_INVALID', message: expect.stringContaining('"b"') }])
    expect(config.servers.map(({ name }) => name)).toEqual(['local'])
  })

  it.each([
    ['broken', 'return {\n  default_model = "x",\n  oh no\n}', 'CONFIG_BROKEN', ', line 3: '],
    ['code', '\nos.execute("touch /tmp/x")', 'CONFIG_BROKEN', ', line 2: '],
    ['not UTF-8', Buffer.from('return { system = "\xfc" }', 'latin1'), 'CONFIG_UNREADABLE', ': '],
    ['with an unknown key', 'return { default_modle = "x" }', 'CONFIG_INVALID', ': unknown option default_modle'],
    ['with a bad value', 'return { think = "hard" }', 'CONFIG_INVALID', ': think: '],
  ])(
    'tells a file that is %s with its name, leaves it as it is, and loses setup() nothing',
    async (_, content, code, words) => {
      await writeFile(file, content)
      const { config, problems } = await loadConfig({ default_model: 'm' }, file)
      expect(problems).toMatchObject([
        { code, message: expect.stringContaining(file + words), hint: expect.any(String) },
      ])
      expect(config.defaultModel).toBe('m')
      expect(await readFile(file)).toEqual(Buffer.from(content as string))
    },
  )

  it('keeps what the file holds when setup() is wrong, and tells both when both are', async () => {
    await writeFile(file, 'return { default_model = "kept" }')
    const one = await loadConfig({ thnik: true }, file)
    expect(one.config.defaultModel).toBe('kept')
    expect(one.problems).toMatchObject([{ code: 'CONFIG_INVALID', message: 'setup(): unknown option thnik' }])
    await writeFile(file, 'return {')
    const two = await loadConfig({ thnik: true }, file)
    expect(two.problems.map(({ code }) => code)).toEqual(['CONFIG_BROKEN', 'CONFIG_INVALID'])
  })

  it('tells a file that cannot be read', async () => {
    await mkdir(file)
    const { config, problems } = await loadConfig({ default_model: 'm' }, file)
    expect(problems).toMatchObject([{ code: 'CONFIG_UNREADABLE', message: expect.stringContaining(file) }])
    expect(config.defaultModel).toBe('m')
  })
})

describe('keepInConfigFile', () => {
  it('makes folder and file, and keeps what it is given in that order', async () => {
    const deep = join(folder, 'nvim', 'deeper', 'ollama_config.lua')
    await keepInConfigFile(deep, { default_model: 'box:qwen3:4b', last_updated: '2026-01-01' })
    expect(await readConfigFile(deep)).toEqual({ default_model: 'box:qwen3:4b', last_updated: '2026-01-01' })
    expect(await readFile(deep, 'utf8')).toMatch(
      /^-- .*\nreturn \{\n {2}default_model = .*\n {2}last_updated = .*\n\}\n$/,
    )
  })

  it('leaves all else as it was, unknown keys too', async () => {
    const before = '-- mine\nreturn {\n  default_model = "old", -- the old one\n  unknown = { 1, 2 }; -- stays\n}\n'
    await writeFile(file, before)
    await keepInConfigFile(file, { default_model: 'new' })
    expect(await readFile(file, 'utf8')).toBe(before.replace('"old"', '"new"'))
  })

  it.each(['', '\n', ' \n\t\n'])('starts anew where a file is blank: %j', async (blank) => {
    await writeFile(file, blank)
    await keepInConfigFile(file, { default_model: 'm' })
    expect(await readConfigFile(file)).toEqual({ default_model: 'm' })
  })

  it.each([
    ['broken', 'return {\n  a = \n}', 'CONFIG_BROKEN'],
    ['code', 'return require("mine")', 'CONFIG_BROKEN'],
    ['words alone', '-- return {}\n', 'CONFIG_BROKEN'],
    ['not UTF-8', Buffer.from('-- f\xfcr\nreturn {}', 'latin1'), 'CONFIG_UNREADABLE'],
  ])('never overwrites a file that is %s', async (_, content, code) => {
    await writeFile(file, content)
    const names = await readdir(folder)
    await expect(keepInConfigFile(file, { default_model: 'm' })).rejects.toMatchObject({ code })
    expect(await readFile(file)).toEqual(Buffer.from(content as string))
    expect(await readdir(folder)).toEqual(names)
  })

  it('refuses a value that Lua cannot hold and writes nothing', async () => {
    await expect(keepInConfigFile(file, { a: 1, b: Number.NaN })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readdir(folder)).toEqual([])
  })

  it('sets and removes fields of tables within', async () => {
    await writeFile(file, 'return {\n  servers = {\n    a = { ssh = "a" }, -- mine\n    b = {},\n  },\n}\n')
    await changeConfigFile(file, [
      { path: ['servers', 'c'], value: { ssh: 'c' } },
      { path: ['servers', 'b'], value: undefined },
    ])
    expect(await readFile(file, 'utf8')).toBe(
      'return {\n  servers = {\n    a = { ssh = "a" }, -- mine\n    c = { ssh = "c" },\n  },\n}\n',
    )
  })

  it('keeps the mode of the file, replaces it whole, and leaves no other file behind', async () => {
    await writeFile(file, 'return {}')
    await chmod(file, 0o640)
    const { ino } = await stat(file)
    await keepInConfigFile(file, { a: 1 })
    const after = await stat(file)
    expect(after.mode & 0o777).toBe(0o640)
    expect(after.ino).not.toBe(ino)
    expect(await readdir(folder)).toEqual(['ollama_config.lua'])
  })

  it('writes through a symbolic link, as dotfile managers make them', async () => {
    const target = join(folder, 'dotfiles.lua')
    await writeFile(target, 'return {}')
    await symlink(target, file)
    await keepInConfigFile(file, { a: 1 })
    expect((await lstat(file)).isSymbolicLink()).toBe(true)
    expect(await readConfigFile(target)).toEqual({ a: 1 })
  })

  it('loses nothing when several keep at once, one of them in vain', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `key_${index}`)
    const writes = names.map((name, index) => keepInConfigFile(file, { [name]: index === 4 ? Number.NaN : index }))
    const settled = await Promise.allSettled(writes)
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(Object.keys(await readConfigFile(file)).sort()).toEqual(names.toSpliced(4, 1))
  })

  it('tells a place where nothing can be written', async () => {
    const dangling = join(folder, 'dangling')
    await symlink(join(folder, 'nowhere'), dangling)
    const impossible = join(dangling, 'ollama_config.lua')
    await expect(keepInConfigFile(impossible, { a: 1 })).rejects.toMatchObject({
      code: 'CONFIG_UNWRITABLE',
      message: expect.stringContaining(impossible),
      hint: expect.any(String),
    })
  })
})
