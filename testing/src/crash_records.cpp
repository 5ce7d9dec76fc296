#include "crash_records.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace tenure::testing::detail {
namespace {

// A field is "SIZE:BYTES", a record "COUNT;" with so many of them behind it.
void add_number(std::string& text, std::size_t number, char end) {
  text += std::to_string(number);
  text += end;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Record> next() {
    const auto count = number(';');
    if (!count) return std::nullopt;
    Record record;
    for (std::size_t at = 0; at < *count; ++at) {
      const auto size = number(':');
      if (!size || *size > text_.size()) return std::nullopt;
      record.emplace_back(text_.substr(0, *size));
      text_.remove_prefix(*size);
    }
    return record;
  }

 private:
  std::optional<std::size_t> number(char end) {
    std::size_t value = 0;
    const auto [after, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{} || after == text_.data() + text_.size() || *after != end) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(after - text_.data()) + 1);
    return value;
  }

  std::string_view text_;
};

}  // namespace

RecordWriter::RecordWriter(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {
  if (!file_.is_open()) raise_system(errno, "the notes of a run cannot be written", path_);
}

void RecordWriter::add(const Record& record) {
  std::string text;
  add_number(text, record.size(), ';');
  for (const std::string& field : record) {
    add_number(text, field.size(), ':');
    text += field;
  }
  if (!write_all(file_.number(), text)) raise_system(errno, "the notes of a run cannot be written", path_);
}

std::vector<Record> read_records(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Reader reader(text);
  std::vector<Record> records;
  while (auto record = reader.next()) records.push_back(*std::move(record));
  return records;
}

}  // namespace tenure::testing::detail
