#pragma once

#include "manual.hpp"

#include <string>
#include <string_view>

namespace tenure::cli::manual {

// A man page in the macros of man(7), which both groff and mandoc read. In what it is given, `so` is bold and everything else is
// text: no character of it is a macro.
class ManPage {
 public:
  // "TENURE", "1", "looks after ...".
  ManPage(std::string_view name, int section, std::string_view date, std::string_view summary);

  ManPage& section(std::string_view title);
  ManPage& subsection(std::string_view title);
  ManPage& paragraph(std::string_view text);
  // A word or an option, and what it means, indented.
  ManPage& entry(std::string_view word, std::string_view meaning);
  // A line as it is typed.
  ManPage& example(std::string_view line);

  [[nodiscard]] File file() const;

 private:
  void begin_paragraph();
  void lines(std::string_view text);

  std::string name_;
  int section_;
  std::string text_;
  bool begins_ = false;  // nothing stands below the last title yet
};

}  // namespace tenure::cli::manual
