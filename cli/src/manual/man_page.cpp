#include "man_page.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::cli::manual {
namespace {

constexpr std::size_t kSourceColumns = 78;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A dash between letters is a hyphen; any other is typed, and must come out as the character that shells know.
bool is_hyphen(std::string_view text, std::size_t at) {
  return at > 0 && at + 1 < text.size() && is_letter(text[at - 1]) && is_letter(text[at + 1]);
}

std::string escaped_for_roff(std::string_view text) {
  std::string out;
  bool bold = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '`':
        bold = !bold;
        out += bold ? "\\fB" : "\\fR";
        break;
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += bold || !is_hyphen(text, i) ? "\\-" : "-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

}  // namespace

ManPage::ManPage(std::string_view name, int section, std::string_view date, std::string_view summary)
    : name_(name), section_(section) {
  text_ = fmt::format(".\\\" Made from the tables of the command; changes here are lost.\n");
  text_ += fmt::format(".TH {} {} {} \"tenure {}\" \"Tenure manual\"\n", escaped_for_roff(upper(name)),
                       section, date, TENURE_VERSION);
  text_ += ".nh\n";  // else names of settings and pages are broken where they have no hyphen
  this->section("NAME");
  text_ += fmt::format("{} \\- {}\n", escaped_for_roff(name), escaped_for_roff(summary));
}

ManPage& ManPage::section(std::string_view title) {
  text_ += fmt::format(".SH {}\n", escaped_for_roff(title));
  begins_ = true;
  return *this;
}

ManPage& ManPage::subsection(std::string_view title) {
  text_ += fmt::format(".SS {}\n", escaped_for_roff(title));
  begins_ = true;
  return *this;
}

ManPage& ManPage::paragraph(std::string_view text) {
  begin_paragraph();
  lines(text);
  return *this;
}

ManPage& ManPage::entry(std::string_view word, std::string_view meaning) {
  text_ += fmt::format(".TP\n\\fB{}\\fR\n", escaped_for_roff(word));
  lines(meaning);
  begins_ = false;
  return *this;
}

ManPage& ManPage::example(std::string_view line) {
  begin_paragraph();
  text_ += fmt::format(".RS\n.EX\n{}\n.EE\n.RE\n", escaped_for_roff(line));
  return *this;
}

File ManPage::file() const { return {fmt::format("man{}/{}.{}", section_, name_, section_), text_}; }

// Directly below a title one would be nothing, which lint says.
void ManPage::begin_paragraph() {
  if (!begins_) text_ += ".PP\n";
  begins_ = false;
}

void ManPage::lines(std::string_view text) {
  for (const std::string& each : split(wrapped(escaped_for_roff(text), kSourceColumns, 0), '\n'))
    text_ += (each.starts_with('.') ? "\\&" : "") + each + '\n';  // else a request
}

}  // namespace tenure::cli::manual
