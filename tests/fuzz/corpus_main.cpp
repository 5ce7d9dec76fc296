// Makes a fuzz target an ordinary test, fuzz_corpus_PARSER: every file of its corpus, then mutations from seeds that are the
// same on every machine. Whatever ends it, it says which input it was.

#include "corpus.hpp"
#include "target.hpp"
#ifdef TENURE_COUNTS_MEMORY
#include "counted_memory.hpp"
#endif

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <span>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::fuzz {
namespace {

constexpr std::uint64_t kMutations = 3000;
constexpr std::uint64_t kFirstSeed = 20260302;

constexpr std::size_t kCurrentMax = 256;
// What is being tried, in memory that outlives the process that tries it. Whatever ended that one, a signal, a sanitizer or an
// exception, the process that waits for it can tell.
char* current = nullptr;

void make_current() {
  void* const memory =
      ::mmap(nullptr, kCurrentMax, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "there is memory to share");
  current = static_cast<char*>(memory);
}

template <class Work>
int run_in_child(Work work) {
  make_current();
  const pid_t child = ::fork();
  require(child >= 0, "there is a process to try in");
  if (child == 0) {
    work();
    std::exit(0);
  }
  int status = 0;
  require(::waitpid(child, &status, 0) == child, "the process can be waited for");
  if (status == 0) return 0;
  std::fprintf(stderr, "fuzz: it was %s\n", current);
  return 1;
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
    std::snprintf(current, kCurrentMax, "the file %s", input.name.c_str());
    const std::size_t before = accepted_count();
    // Twice, for the first input of a parser makes what it keeps for good.
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.bytes.data()), input.bytes.size());
    try_input(input.bytes);
    require((accepted_count() > before) == input.is_taken,
            "the parser takes the files of taken/ and no others");
  }
}

void try_seed(const std::vector<Input>& corpus, std::uint64_t seed) {
  std::snprintf(current, kCurrentMax, "the mutation of --seed %llu", static_cast<unsigned long long>(seed));
  Random random(seed);
  try_input(mutated(corpus, random));
}

void try_all(const std::vector<Input>& corpus) {
  try_files(corpus);
  for (std::uint64_t i = 0; i < kMutations; ++i) try_seed(corpus, kFirstSeed + i);
  std::snprintf(current, kCurrentMax, "the end, behind the last input");
  std::printf("%zu files and %llu mutations\n", corpus.size(), static_cast<unsigned long long>(kMutations));
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
  return run_in_child([&] { seed ? try_seed(corpus, *seed) : try_all(corpus); });
}

}  // namespace
}  // namespace tenure::fuzz

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return tenure::fuzz::run(arguments);
}
