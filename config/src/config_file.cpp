#include "config_file.hpp"

#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::config {
namespace {

// Of a dotted key: no setting has more than two.
constexpr std::size_t kKeyPartsMax = 8;

bool is_ours(uid_t owner) { return owner == 0 || owner == ::geteuid(); }

// The first reason not to read it, or nothing.
std::string refusal(const std::filesystem::path& file, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  if ((status.st_mode & S_IWOTH) != 0)
    return fmt::format("may be written by everybody; only root or the service user may: chmod o-w {}",
                       escaped(file.string()));
  struct stat link {};
  if (::lstat(file.c_str(), &link) == 0 && S_ISLNK(link.st_mode) &&
      !(is_ours(link.st_uid) && is_ours(status.st_uid)))
    return fmt::format("is a symbolic link, and it or its target belongs to another user (uid {})",
                       is_ours(link.st_uid) ? status.st_uid : link.st_uid);
  if (status.st_size > static_cast<off_t>(kConfigFileMax))
    return "is larger than " + size_text(kConfigFileMax);
  return {};
}

Result<std::string> read_all(int descriptor) {
  std::optional<std::string> bytes = read_up_to(descriptor, kConfigFileMax + 1);
  if (!bytes) return fail(ErrorCode::bad_configuration, "cannot be read: " + system_text(errno));
  if (bytes->size() > kConfigFileMax)
    return fail(ErrorCode::bad_configuration, "is larger than " + size_text(kConfigFileMax));
  return *std::move(bytes);
}

std::string_view type_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction or an exponent";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
  }
  return "nothing";
}

// Nothing where one holds anything but whole numbers.
std::optional<RawTables> tables_in(const toml::array& array) {
  RawTables tables;
  for (const toml::node& item : array) {
    auto& table = tables.emplace_back();
    for (const auto& [key, node] : *item.as_table()) {
      const auto* const number = node.as_integer();
      if (number == nullptr) return std::nullopt;
      table.emplace(key.str(), number->get());
    }
  }
  return tables;
}

RawValue raw_value(const toml::node& node) {
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* number = node.as_integer()) return {number->get()};
  if (const auto* boolean = node.as_boolean()) return {boolean->get()};
  if (const auto* array = node.as_array();
      array != nullptr && (array->empty() || array->is_homogeneous<std::string>())) {
    std::vector<std::string> list;
    for (const toml::node& item : *array) list.push_back(item.as_string()->get());
    return {std::move(list)};
  }
  if (const auto* array = node.as_array(); array != nullptr && array->is_homogeneous<toml::table>())
    if (auto tables = tables_in(*array)) return {*std::move(tables)};
  return {OtherType{type_name(node.type())}};
}

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

void add_entry(RawTable& table, const toml::key& key, const toml::node& node) {
  // A key's own place; a value may begin lines below it.
  const int line = static_cast<int>(key.source().begin.line);
  table.entries.push_back({std::string(key.str()), raw_value(node), line > 0 ? line : line_of(node)});
}

RawTable table_of(std::string_view section, const toml::table& from, bool in_array) {
  RawTable table{.section = std::string(section),
                 .before_headers = false,
                 .in_array = in_array,
                 .line = line_of(from),
                 .entries = {}};
  for (const auto& [key, node] : from) add_entry(table, key, node);
  std::stable_sort(table.entries.begin(), table.entries.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return table;
}

std::vector<RawTable> tables_of(const toml::table& root) {
  RawTable front{.section = {}, .before_headers = true, .in_array = false, .line = 0, .entries = {}};
  std::vector<RawTable> tables;
  for (const auto& [key, node] : root) {
    const auto* array = node.as_array();
    if (const auto* table = node.as_table()) tables.push_back(table_of(key.str(), *table, false));
    else if (array != nullptr && !array->empty() && array->is_homogeneous<toml::table>())
      for (const toml::node& item : *array) tables.push_back(table_of(key.str(), *item.as_table(), true));
    else add_entry(front, key, node);
  }
  if (!front.entries.empty()) tables.push_back(std::move(front));
  std::stable_sort(tables.begin(), tables.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return tables;
}

// Looks for keys of many parts before the parser meets them: it limits how deep values lie inside one another but not how deep
// a dotted key leads, and it walks down and up by recursion. Right for TOML; what is none, the parser refuses.
class KeyScan {
 public:
  explicit KeyScan(std::string_view text) : text_(text), rest_(text) {}

  // The line of the first key of more than kKeyPartsMax parts; 0 where there is none.
  int line_of_long_key() {
    constexpr std::string_view kAroundKeys = "\n=,[]{}";
    std::size_t parts = 1;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
        continue;
      }
      if (kAroundKeys.find(c) != std::string_view::npos) parts = 1;
      if (c == '.' && ++parts > kKeyPartsMax) return line();
      rest_.remove_prefix(1);
    }
    return 0;
  }

 private:
  void skip_string(char quote) {
    const std::string fence(3, quote);
    if (!rest_.starts_with(fence)) {
      rest_.remove_prefix(1);
      return skip_to(std::string_view(&quote, 1), quote);
    }
    rest_.remove_prefix(fence.size());
    skip_to(fence, quote);
    // Up to two quotes before the closing three belong to the string.
    for (int i = 0; i < 2 && rest_.starts_with(quote); ++i) rest_.remove_prefix(1);
  }

  // Behind `end`; a string of one line goes no further than that.
  void skip_to(std::string_view end, char quote) {
    while (!rest_.empty() && !rest_.starts_with(end)) {
      if (end.size() == 1 && rest_.front() == '\n') return;
      const bool escape = quote == '"' && rest_.front() == '\\';
      rest_.remove_prefix(std::min<std::size_t>(escape ? 2 : 1, rest_.size()));
    }
    rest_.remove_prefix(std::min(end.size(), rest_.size()));
  }

  [[nodiscard]] int line() const {
    const std::string_view before = text_.substr(0, text_.size() - rest_.size());
    return static_cast<int>(1 + std::count(before.begin(), before.end(), '\n'));
  }

  std::string_view text_;
  std::string_view rest_;
};

void parse(const std::filesystem::path& file, std::string_view bytes, RawFile& result) {
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
    result.problems.push_back({file_and_line(file, static_cast<int>(line)), "", "the file holds a NUL byte"});
    return;
  }
  if (const int line = KeyScan(bytes).line_of_long_key(); line > 0) {
    result.problems.push_back({file_and_line(file, line), "",
                               fmt::format("a key has more than {} parts with dots between", kKeyPartsMax)});
    return;
  }
  try {
    result.tables = tables_of(toml::parse(bytes));
  } catch (const toml::parse_error& error) {
    result.problems.push_back({file_and_line(file, static_cast<int>(error.source().begin.line)), "",
                               "the file is no TOML: " + escaped(error.description())});
  }
}

}  // namespace

std::string file_and_line(const std::filesystem::path& file, int line) {
  const std::string name = escaped(file.string());
  return line > 0 ? fmt::format("{}:{}", name, line) : name;
}

RawFile read_config_file(const std::filesystem::path& file) {
  RawFile result;
  const auto refuse = [&](std::string why) {
    result.problems.push_back({file_and_line(file, 0), "", "the file " + std::move(why)});
  };
  // Without blocking, so that a pipe in its place cannot hold up a start.
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (!descriptor.is_open() || ::fstat(descriptor.number(), &status) != 0) {
    refuse("cannot be opened: " + system_text(errno));
    return result;
  }
  if (std::string why = refusal(file, status); !why.empty()) {
    refuse(std::move(why));
    return result;
  }
  if (!is_ours(status.st_uid))
    result.warnings.push_back({file_and_line(file, 0), "",
                               fmt::format("the file belongs to another user (uid {})", status.st_uid)});
  if (auto bytes = read_all(descriptor.number())) parse(file, *bytes, result);
  else refuse(bytes.error().message);
  return result;
}

}  // namespace tenure::config
