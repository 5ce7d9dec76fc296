#pragma once

#include <tenure/base/random.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// The inputs that a target is tried with as a test: files of the checkout, and mutations of them. Threads: none of its own.
namespace tenure::fuzz {

struct Input {
  std::string name;  // of its file, "taken/invoice.txt"
  std::string bytes;
  bool is_taken = false;
};

// The files by name: of CORPUS/taken/, which the parser takes, and of CORPUS/refused/. A file `*.hex` holds bytes as hexadecimal digits, white space between them at will, with
// COUNT*DIGITS for a repetition and # before a comment; any other is taken as it is, without its last line feed. Throws
// std::runtime_error with the file's name where one cannot be read, and where there is none.
[[nodiscard]] std::vector<Input> read_corpus(const std::filesystem::path& folder);

// The bytes that a `.hex` file says. Throws std::runtime_error.
[[nodiscard]] std::string bytes_of_hex(std::string_view text);

inline constexpr std::size_t kMutatedMax = 32UL * 1024;  // bytes of a mutation that grew

// One of the inputs, changed in a few places. The same random numbers, the same result.
[[nodiscard]] std::string mutated(const std::vector<Input>& corpus, Random& random);

}  // namespace tenure::fuzz
