// Names of Ollama's library that are offered for pulling, with the tags that are asked for most. They are only offered: any
// other name can be typed, and `updates.names` adds to them.

const LIBRARY: Readonly<Record<string, string>> = {
  codegemma: '2b 7b',
  codellama: '7b 13b 34b 70b',
  'command-r': '35b',
  'deepseek-coder-v2': '16b 236b',
  'deepseek-r1': '1.5b 7b 8b 14b 32b 70b 671b',
  'deepseek-v3': '671b',
  devstral: '24b',
  gemma2: '2b 9b 27b',
  gemma3: '270m 1b 4b 12b 27b',
  gemma3n: 'e2b e4b',
  'gpt-oss': '20b 120b',
  'granite3.3': '2b 8b',
  granite4: '350m 1b 3b',
  'llama3.1': '8b 70b 405b',
  'llama3.2': '1b 3b',
  'llama3.2-vision': '11b 90b',
  'llama3.3': '70b',
  llama4: '16x17b 128x17b',
  llava: '7b 13b 34b',
  magistral: '24b',
  'minicpm-v': '8b',
  'ministral-3': '3b 8b 14b',
  mistral: '7b',
  'mistral-nemo': '12b',
  'mistral-small3.2': '24b',
  mixtral: '8x7b 8x22b',
  moondream: '1.8b',
  'mxbai-embed-large': '335m',
  'bge-m3': '567m',
  'nomic-embed-text': 'v1.5',
  embeddinggemma: '300m',
  olmo2: '7b 13b',
  phi4: '14b',
  'phi4-mini': '3.8b',
  'phi4-reasoning': '14b',
  'qwen2.5': '0.5b 1.5b 3b 7b 14b 32b 72b',
  'qwen2.5-coder': '0.5b 1.5b 3b 7b 14b 32b',
  'qwen2.5vl': '3b 7b 32b 72b',
  qwen3: '0.6b 1.7b 4b 8b 14b 30b 32b 235b',
  'qwen3-coder': '30b 480b',
  'qwen3-embedding': '0.6b 4b 8b',
  'qwen3-vl': '2b 4b 8b 30b 32b 235b',
  qwq: '32b',
  smollm2: '135m 360m 1.7b',
  'snowflake-arctic-embed2': '568m',
  starcoder2: '3b 7b 15b',
  tinyllama: '1.1b',
}

/** Sorted; each name alone and with each of its tags. */
export function wellKnownNames(): string[] {
  const names = Object.entries(LIBRARY).flatMap(([name, tags]) => [
    name,
    ...tags.split(' ').map((tag) => `${name}:${tag}`),
  ])
  return names.sort()
}
