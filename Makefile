# What people type. The build itself is meson's: see meson.build and CONTRIBUTING.md.
BUILD ?= build
FUZZ_TIME ?= 60

.PHONY: all deps build up down test ci bench fuzz fmt lint clean

all: build

deps:
	@tools/deps

build: deps
	@tools/configure $(BUILD)
	@ninja -C $(BUILD) dataplatform dataplatform-sql

up: build
	@$(BUILD)/dataplatform up

down:
	@$(BUILD)/dataplatform down

# Everything that runs by itself, under ASan and UBSan; the last line counts it. TESTS="sql unit/avro" chooses.
test: deps
	@tools/venv
	@tools/venv airflow
	@tools/configure build-asan -Db_sanitize=address,undefined
	@ninja -C build-asan
	@tests/run --build build-asan $(TESTS)

# What has to hold before a change goes in: style, both compilers, all tests.
ci: deps lint
	@tools/configure build-clang CC=clang
	@ninja -C build-clang
	@tools/configure $(BUILD)
	@ninja -C $(BUILD)
	@$(MAKE) --no-print-directory test

bench: build
	@tools/venv
	@bench/run $(BENCH)

# Each target, or those in FUZZ, for FUZZ_TIME seconds. Findings are left in build-fuzz/findings/.
fuzz: deps
	@tools/configure build-fuzz CC=clang -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-fuzz
	@fuzz/run --build build-fuzz --time $(FUZZ_TIME) $(FUZZ)

fmt:
	@tools/lint --fix

lint:
	@tools/lint

clean:
	rm -rf build build-*
