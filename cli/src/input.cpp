#include "input.hpp"

#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace tenure::cli {
namespace {

constexpr std::size_t kChunk = 64UL * 1024;

[[noreturn]] void refuse_size(std::string_view what, std::size_t bytes_max) {
  raise(ErrorCode::payload_too_large, fmt::format("{} has more than {} bytes", escaped(what, 256), bytes_max),
        {}, "$");
}

std::string whole_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const std::string what = fmt::format("the file '{}' cannot be read", escaped(path, 256));
  if (!file.is_open()) raise_system(ErrorCode::bad_options, errno, what, path);
  auto bytes = read_up_to(file.number(), bytes_max + 1);
  if (!bytes) raise_system(ErrorCode::bad_options, errno, what, path);
  if (bytes->size() > bytes_max) refuse_size(path, bytes_max);
  return *std::move(bytes);
}

std::string whole_input(Environment& environment, std::size_t bytes_max) {
  std::string all;
  for (;;) {
    const std::string chunk = environment.read_input(kChunk);
    if (chunk.empty()) return all;
    all += chunk;
    if (all.size() > bytes_max) refuse_size("standard input", bytes_max);
  }
}

}  // namespace

std::string text_of_word(Session& session, std::string_view word, std::size_t bytes_max) {
  if (word == "-") return whole_input(session.environment(), bytes_max);
  if (word.starts_with('@')) return whole_file(std::string(word.substr(1)), bytes_max);
  return std::string(word);
}

std::vector<InputLine> InputLines::next() {
  std::vector<InputLine> lines;
  while (lines.empty()) {
    const std::string chunk = environment_.read_input(kChunk);
    if (chunk.empty()) {
      end_line(lines);
      break;
    }
    take(chunk, lines);
  }
  return lines;
}

void InputLines::take(std::string_view bytes, std::vector<InputLine>& lines) {
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    append(bytes.substr(0, end));
    end_line(lines);
    bytes.remove_prefix(end + 1);
  }
  append(bytes);
}

void InputLines::append(std::string_view part) {
  begun_.is_too_long = begun_.is_too_long || begun_.text.size() + part.size() > line_max_;
  if (begun_.is_too_long) begun_.text.clear();
  else begun_.text += part;
}

void InputLines::end_line(std::vector<InputLine>& lines) {
  InputLine line = std::exchange(begun_, {});
  line.number = ++ended_;
  if (line.is_too_long || line.text.find_first_not_of(" \t\r") != std::string::npos)
    lines.push_back(std::move(line));
}

}  // namespace tenure::cli
