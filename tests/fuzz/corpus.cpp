#include "corpus.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tenure::fuzz {
namespace {

// What parsers trip over: brackets, quotes, signs, broken UTF-8, lengths.
constexpr std::array<std::string_view, 32> kFragments{
    "[",    "]",    "{",        "}",        ",",       ":",       "\"",       "\\",
    "=",    "!",    "*",        "%",        "..",      " ",       "\n",       "/",
    "-",    "0",    "1e999",    "null",     "\\ud800", "--",      "\xFF",     "\xC3",
    "\xC0", "\x7F", "\xE2\x80", "\xC2\x9B", "%41",     "tenant=", "[[[[[[[[", "99999999999999999999"};
constexpr std::array<std::uint64_t, 8> kNumbers{0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, ~0ULL};

std::string without_last_line_feed(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return content.str();
}

std::string bytes_of_word(std::string_view word) {
  std::size_t count = 1;
  if (const std::size_t star = word.find('*'); star != std::string_view::npos) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + star, count);
    if (error != std::errc{} || end != word.data() + star)
      throw std::runtime_error("no count: " + std::string{word});
    word.remove_prefix(star + 1);
  }
  std::string once;
  for (std::size_t at = 0; at < word.size(); at += 2) {
    const std::string_view digits = word.substr(at, 2);
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + digits.size())
      throw std::runtime_error("no hexadecimal digits: " + std::string{word});
    once += static_cast<char>(static_cast<unsigned char>(byte));
  }
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += once;
  return bytes;
}

void put_number(std::string& bytes, std::size_t at, Random& random) {
  std::uint64_t number = kNumbers.at(random.below(kNumbers.size()));
  const std::size_t size = std::min<std::size_t>(1UL << random.below(4), bytes.size() - at);
  for (std::size_t i = 0; i < size; ++i, number >>= 8U)
    bytes[at + i] = static_cast<char>(static_cast<unsigned char>(number & 0xFFU));
}

// A run of the same, as deep nesting and long lists are.
void repeat(std::string& bytes, std::size_t at, std::size_t length, Random& random) {
  const std::string part = bytes.substr(at, length);
  const std::size_t count = 1 + random.below(1UL << random.below(12));
  std::string run;
  for (std::size_t i = 0; i < count && bytes.size() + run.size() + part.size() <= kMutatedMax; ++i)
    run += part;
  bytes.insert(at, run);
}

void change(std::string& bytes, const std::vector<Input>& corpus, Random& random) {
  const std::size_t at = random.below(bytes.size());
  const std::size_t length = 1 + random.below(std::min<std::size_t>(16, bytes.size() - at));
  switch (random.below(10)) {
    case 0:
      bytes[at] = static_cast<char>(static_cast<unsigned char>(random.below(256)));
      return;
    case 1:
      bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << random.below(7)));
      return;
    case 2:
      bytes.erase(at, length);
      return;
    case 3:
      bytes.insert(at, bytes.substr(random.below(bytes.size()), length));
      return;
    case 4:
      bytes.insert(at, kFragments.at(random.below(kFragments.size())));
      return;
    case 5:
      bytes.replace(at, length, kFragments.at(random.below(kFragments.size())));
      return;
    case 6:
      put_number(bytes, at, random);
      return;
    case 7:
      repeat(bytes, at, length, random);
      return;
    case 8: {
      const std::string& other = corpus[random.below(corpus.size())].bytes;
      bytes.replace(at, std::string::npos, other, random.below(other.size() + 1), kMutatedMax);
      return;
    }
    default:
      bytes.resize(at);
      return;
  }
}

}  // namespace

std::string bytes_of_hex(std::string_view text) {
  std::string bytes;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line.substr(0, line.find('#'))};
    for (std::string word; words >> word;) bytes += bytes_of_word(word);
  }
  return bytes;
}

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<Input> corpus;
  for (const std::string side : {"taken", "refused"}) {
    const std::size_t before = corpus.size();
    for (const auto& entry : std::filesystem::directory_iterator(folder / side)) {
      const std::string content = content_of(entry.path());
      const bool is_hex = entry.path().extension() == ".hex";
      corpus.push_back({.name = side + '/' + entry.path().filename().string(),
                        .bytes = is_hex ? bytes_of_hex(content) : without_last_line_feed(content),
                        .is_taken = side == "taken"});
    }
    if (corpus.size() == before) throw std::runtime_error("no input is in " + (folder / side).string());
  }
  std::ranges::sort(corpus, {}, &Input::name);
  return corpus;
}

std::string mutated(const std::vector<Input>& corpus, Random& random) {
  std::string bytes = corpus[random.below(corpus.size())].bytes;
  const std::uint64_t steps = 1 + random.below(5);
  for (std::uint64_t i = 0; i < steps && !bytes.empty(); ++i) change(bytes, corpus, random);
  return bytes;
}

}  // namespace tenure::fuzz
