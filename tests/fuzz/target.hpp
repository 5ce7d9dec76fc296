#pragma once

#include <tenure/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// What a fuzz target is made of: one source for one parser of outside input, which defines the two names below and says in
// its first comment which property it holds the parser to. It is linked twice: with corpus_main.cpp as an ordinary test, and
// with libFuzzer where TENURE_FUZZ is set. A target keeps no state between inputs. Threads: one.

// Ends the process where the property does not hold, by require(), an exception or a signal. Always returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tenure::fuzz {

// What the parser and the target may hold at one moment, in bytes; corpus_main.cpp measures it where no sanitizer does.
struct MemoryLimit {
  std::size_t base;
  std::size_t for_each_byte;  // of the input
};
extern const MemoryLimit kMemoryLimit;

// Fails the target unless `holds`; `property` is what should have been so.
void require(bool holds, std::string_view property);

// A refusal has that code and a message that can be shown.
void check_refusal(const Failure& failure, ErrorCode code);

// To be called for an input that the parser takes: corpus_main.cpp knows of each file whether it is one.
void accepted();
[[nodiscard]] std::size_t accepted_count();

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The lines of a text, without their line feeds; what follows the last one is a line too.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace tenure::fuzz
