#pragma once

#include "session.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a command reads besides its words, never more than it may hold.
namespace tenure::cli {

// The word itself; for `-` standard input, and for `@FILE` the file, at most `bytes_max` of either: PayloadTooLarge.
[[nodiscard]] std::string text_of_word(Session& session, std::string_view word, std::size_t bytes_max);

struct InputLine {
  std::int64_t number = 0;  // from 1, empty lines counted
  std::string text;         // without its end; empty where it has more bytes than a line may have
  bool is_too_long = false;
};

// Standard input line by line, as it comes. Empty lines are passed over.
class InputLines {
 public:
  // `environment` must outlive it.
  InputLines(Environment& environment, std::size_t line_max)
      : environment_(environment), line_max_(line_max) {}

  // Waits for the next lines: one at least, and no more than have come by then. Empty at the end.
  [[nodiscard]] std::vector<InputLine> next();

 private:
  void take(std::string_view bytes, std::vector<InputLine>& lines);
  void append(std::string_view part);
  void end_line(std::vector<InputLine>& lines);

  Environment& environment_;
  std::size_t line_max_;
  std::int64_t ended_ = 0;  // lines so far
  InputLine begun_;         // what has come of the next one
};

}  // namespace tenure::cli
