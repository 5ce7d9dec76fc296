#pragma once

#include <tenure/base/error.hpp>

#include <cstdint>
#include <span>
#include <string_view>

// How a program of ours ends. One table for `tenure`, `tenured` and worker programs: supervisors, units, scripts and
// monitors rely on it (docs/manual/exit-codes.md).
namespace tenure {

// From 65 on the numbers and their meaning are those of sysexits.h. Never renumber; a new one takes a row in
// exit_code.cpp and in the manual.
enum class ExitCode : std::uint8_t {
  done = 0,
  refused = 1,  // it ran and the answer is no
  usage = 2,
  data = 65,
  unavailable = 69,
  sync_failed = 74,
  try_again = 75,
  configuration = 78,
};

// For main() and std::_Exit.
[[nodiscard]] constexpr int number_of(ExitCode code) { return static_cast<int>(code); }

// What a program ends with that ends because of this error; `refused` for a number that is no ErrorCode.
[[nodiscard]] ExitCode exit_code_of(ErrorCode code);

// A few words for --help and the manual.
[[nodiscard]] std::string_view meaning_of(ExitCode code);

// All of them, in their order.
[[nodiscard]] std::span<const ExitCode> exit_codes();

}  // namespace tenure
