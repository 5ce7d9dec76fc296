// Makes a fuzz target an ordinary test, fuzz_corpus_PARSER: every file of its corpus, then mutations from seeds that are the
// same on every machine. Whatever ends the process says which input it was.

#include "corpus.hpp"
#include "target.hpp"
#ifdef TENURE_COUNTS_MEMORY
#include "counted_memory.hpp"
#endif

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <optional>
#include <span>
#include <unistd.h>

// Of the sanitizers, where there is one: they end the process without a signal.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace tenure::fuzz {
namespace {

constexpr std::uint64_t kMutations = 3000;
constexpr std::uint64_t kFirstSeed = 20260302;

// What is being tried, ready to be written by a signal handler.
std::array<char, 256> current{};

void tell_current() {
  // Nobody is left to be told that it cannot be written.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, current.data(), std::strlen(current.data()));
}

void on_signal(int number) {
  tell_current();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void tell_at_the_end() {
  for (const int number : {SIGABRT, SIGFPE, SIGILL, SIGBUS}) std::signal(number, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_current);
  else std::signal(SIGSEGV, on_signal);  // a sanitizer's own handler says where it was
}

void check_memory(std::size_t size) {
#ifdef TENURE_COUNTS_MEMORY
  const std::size_t highest = highest_count();
  const std::size_t limit = kMemoryLimit.base + kMemoryLimit.for_each_byte * size;
  if (highest > limit)
    std::fprintf(stderr, "fuzz: %zu bytes were held for %zu; at most %zu may be\n", highest, size, limit);
  require(highest <= limit, "memory is bounded by the size of the input");
#else
  static_cast<void>(size);
#endif
}

void try_input(std::string_view bytes) {
  // Of its exact size on the heap, so that a sanitizer sees a byte too many.
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
#ifdef TENURE_COUNTS_MEMORY
  start_counting();
#endif
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  check_memory(copy.size());
}

void try_files(const std::vector<Input>& corpus) {
  for (const Input& input : corpus) {
    std::snprintf(current.data(), current.size(), "fuzz: it was the file %s\n", input.name.c_str());
    const std::size_t before = accepted_count();
    // Twice, for the first input of a parser makes what it keeps for good.
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.bytes.data()), input.bytes.size());
    try_input(input.bytes);
    require((accepted_count() > before) == input.is_taken,
            "the parser takes the files of taken/ and no others");
  }
}

void try_seed(const std::vector<Input>& corpus, std::uint64_t seed) {
  std::snprintf(current.data(), current.size(), "fuzz: it was the mutation of --seed %llu\n",
                static_cast<unsigned long long>(seed));
  Random random(seed);
  try_input(mutated(corpus, random));
}

// As raw files, for libFuzzer to begin with.
void write_corpus(const std::vector<Input>& corpus, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const Input& input : corpus) {
    const std::string name = std::filesystem::path(input.name).filename().string();
    std::ofstream(folder / name, std::ios::binary) << input.bytes;
  }
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int run(std::span<const std::string_view> arguments) {
  if (arguments.size() == 3 && arguments[1] == "--write") {
    write_corpus(read_corpus(arguments[0]), arguments[2]);
    return 0;
  }
  const auto seed =
      arguments.size() == 3 && arguments[1] == "--seed" ? number_of(arguments[2]) : std::nullopt;
  if (arguments.size() != 1 && !seed) {
    std::fputs("usage: fuzz_corpus_PARSER CORPUS [--seed NUMBER | --write FOLDER]\n", stderr);
    return 2;
  }
  const auto corpus = read_corpus(arguments[0]);
  tell_at_the_end();
  try_files(corpus);
  if (seed) {
    try_seed(corpus, *seed);
    return 0;
  }
  for (std::uint64_t i = 0; i < kMutations; ++i) try_seed(corpus, kFirstSeed + i);
  std::printf("%zu files and %llu mutations\n", corpus.size(), static_cast<unsigned long long>(kMutations));
  return 0;
}

}  // namespace
}  // namespace tenure::fuzz

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return tenure::fuzz::run(arguments);
}
