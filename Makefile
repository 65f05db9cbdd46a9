.DEFAULT_GOAL := help
RUN := node scripts/run.mjs
BUNDLE := rplugin/node/ollama-remote/index.cjs
NODE_OK := node_modules/.package-lock.json

help: ## Show these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

try: $(BUNDLE) ## Try it: Neovim with a demonstration model (SSH=user@host for a real one, PROMPT="…" without a terminal)
	@$(RUN) scripts/try.ts

test: $(BUNDLE) ## Run every test: unit, real sshd, real Neovim 0.10 and 0.12
	@npx vitest run --project '!faults' $(ONLY)

faults: $(BUNDLE) ## Make every fault of the network and 1,000 cuts, and write doc/reliability.md (half an hour)
	@$(RUN) test/faults/main.ts

check: $(BUNDLE) ## Types, lint, format, architecture, unused code, documentation
	npx tsc --project .
	npx biome ci --log-level=warn .
	$(RUN) scripts/format-lua.ts
	@if node -e 'process.exit(process.features.require_module ? 0 : 1)'; then npx knip --no-progress; \
	else echo 'SKIPPED: the search for unused code, because knip needs Node.js >= 20.19'; fi
	npx vitest run --project unit test/unit/architecture test/unit/documents

bench: $(BUNDLE) ## Measure it beside bare references and print a table
	@$(RUN) bench/main.ts $(ONLY)

picture: $(BUNDLE) ## Draw doc/chat.svg from a real Neovim's screen
	@$(RUN) scripts/picture.ts

format: $(NODE_OK) ## Format TypeScript and Lua
	@npx biome check --write --log-level=warn . && $(RUN) scripts/format-lua.ts --write

build: $(BUNDLE) ## Build the host that Neovim starts

clean: ## Remove what was built and unpacked
	rm -rf node_modules .cache rplugin/node/ollama-remote/*.cjs doc/tags

$(NODE_OK): package.json package-lock.json
	@node scripts/require-node.mjs
	npm ci --include=dev --no-fund --no-audit --loglevel=error
	@touch $@

$(BUNDLE): $(NODE_OK) scripts/build.mjs $(shell find src -name '*.ts')
	@npm run --silent build

.PHONY: help try test faults check bench picture format build clean
