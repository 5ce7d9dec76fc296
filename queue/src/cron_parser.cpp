#include <tenure/base/text.hpp>
#include <tenure/queue/cron.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tenure::queue {
namespace {

constexpr std::size_t kWordShown = 40;  // bytes of what is refused

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;                            // that a range or a step goes up to
  unsigned most_written;                    // 7 of the week is Sunday once more
  std::span<const std::string_view> names;  // of the values from `least` on
  bool is_day = false;
};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

enum Place : std::uint8_t { kSecond, kMinute, kHour, kDay, kMonth, kWeekDay, kFields };
constexpr std::array<Field, kFields> kFieldTable{{{"second", 0, 59, 59, {}},
                                                  {"minute", 0, 59, 59, {}},
                                                  {"hour", 0, 23, 23, {}},
                                                  {"day of the month", 1, 31, 31, {}, true},
                                                  {"month", 1, 12, 12, kMonths},
                                                  {"day of the week", 0, 6, 7, kWeekDays, true}}};

struct Nickname {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array<Nickname, 7> kNicknames{{{"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@hourly", "0 * * * *"}}};

constexpr bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
constexpr char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}
bool is_same(std::string_view word, std::string_view name) {
  return std::ranges::equal(word, name, {}, lower);
}
constexpr bool is_open(std::string_view field) { return field.starts_with('*') || field.starts_with('?'); }

struct Word {
  std::string_view text;
  std::size_t column;  // from 0
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    words.push_back({text.substr(begin, at - begin), begin});
  }
  return words;
}

tl::unexpected<Failure> refuse(std::size_t column, std::string_view why) {
  return fail(ErrorCode::bad_options, fmt::format("cron, column {}: {}", column + 1, why));
}

struct FieldValues {
  std::uint64_t values = 0;
  bool last_day = false;
};

// Reads one field from its front. `column` is where it stands in the whole text.
class FieldParser {
 public:
  FieldParser(const Field& field, Word word) : field_(field), text_(word.text), column_(word.column) {}

  Result<FieldValues> parse() {
    do {
      if (auto item = this->item(); !item) return tl::unexpected(std::move(item.error()));
    } while (skip(','));
    if (at_ < text_.size()) return refused(fmt::format("{} is not expected here", rest()));
    return found_;
  }

 private:
  struct Range {
    unsigned first;
    unsigned last;
    bool is_single = false;
  };

  Result<void> item() {
    if (field_.is_day && field_.most == 31 && (peek() == 'L' || peek() == 'l')) {
      ++at_;
      found_.last_day = true;
      return {};
    }
    auto range = this->range();
    if (!range) return tl::unexpected(std::move(range.error()));
    unsigned step = 1;
    if (skip('/')) {
      const auto read = this->step();
      if (!read) return tl::unexpected(read.error());
      step = *read;
      if (range->is_single) range->last = field_.most;
    }
    add(*range, step);
    return {};
  }

  Result<Range> range() {
    if (skip('*') || (field_.is_day && skip('?'))) return Range{field_.least, field_.most};
    const auto first = value();
    if (!first) return tl::unexpected(first.error());
    if (!skip('-')) return Range{*first % count_of_week(), *first % count_of_week(), true};
    const auto last = value();
    if (!last) return tl::unexpected(last.error());
    if (*first == 0 && *last == 7) return Range{0, 6};  // from Sunday to Sunday
    return Range{*first % count_of_week(), *last % count_of_week()};
  }

  // Only a day of the week has a value above the greatest.
  [[nodiscard]] unsigned count_of_week() const { return field_.most_written > field_.most ? 7 : 64; }

  Result<unsigned> value() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    if (at_ > begin) return named(text_.substr(begin, at_ - begin), begin);
    const auto number = this->number();
    if (!number) return tl::unexpected(number.error());
    if (*number < field_.least || *number > field_.most_written)
      return refuse(column_ + begin, fmt::format("{} is no {} ({} to {})", text_.substr(begin, at_ - begin),
                                                 field_.name, field_.least, field_.most_written));
    return *number;
  }

  Result<unsigned> named(std::string_view word, std::size_t begin) const {
    for (std::size_t index = 0; index < field_.names.size(); ++index)
      if (is_same(word, field_.names[index])) return field_.least + static_cast<unsigned>(index);
    return refuse(column_ + begin, fmt::format("{} is no {}", escaped(word, kWordShown), field_.name));
  }

  Result<unsigned> step() {
    const std::size_t begin = at_;
    const auto number = this->number();
    if (!number) return number;
    const unsigned most = field_.most - field_.least;
    if (*number < 1 || *number > most)
      return refuse(column_ + begin, fmt::format("{} is no step of a {} (1 to {})",
                                                 text_.substr(begin, at_ - begin), field_.name, most));
    return number;
  }

  Result<unsigned> number() {
    unsigned value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (end == begin)
      return refused(at_ == text_.size()
                         ? fmt::format("the {} ends here, where a value is expected", field_.name)
                         : fmt::format("{} is no {}", rest(), field_.name));
    if (error != std::errc{}) return refused(fmt::format("{} is no {}", rest(), field_.name));
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  void add(const Range& range, unsigned step) {
    const unsigned count = field_.most - field_.least + 1;
    const unsigned length = (range.last + count - range.first) % count;
    for (unsigned passed = 0; passed <= length; passed += step)
      found_.values |= std::uint64_t{1} << ((range.first - field_.least + passed) % count + field_.least);
  }

  [[nodiscard]] static bool is_letter(char byte) { return lower(byte) >= 'a' && lower(byte) <= 'z'; }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool skip(char byte) {
    if (peek() != byte) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::string rest() const { return escaped(text_.substr(at_), kWordShown); }
  [[nodiscard]] tl::unexpected<Failure> refused(std::string_view why) const {
    return refuse(column_ + at_, why);
  }

  const Field& field_;
  std::string_view text_;
  std::size_t column_;
  std::size_t at_ = 0;
  FieldValues found_;
};

}  // namespace

class CronParser {
 public:
  static Result<Cron> parse(std::string_view text) {
    if (text.size() > kCronTextMax)
      return refuse(kCronTextMax, fmt::format("it is longer than {} bytes", kCronTextMax));
    const auto words = words_of(text);
    if (words.empty()) return refuse(0, "it is empty; it has five fields, or six with seconds first");
    if (words.front().text.starts_with('@')) return by_nickname(words);
    if (words.size() < 5)
      return refuse(text.size(), fmt::format("it ends after {} fields of five", words.size()));
    if (words.size() > 6) return refuse(words[6].column, "it has more than six fields");
    return by_fields(words);
  }

 private:
  static Result<Cron> by_nickname(const std::vector<Word>& words) {
    const auto found = std::ranges::find_if(
        kNicknames, [&](const Nickname& nickname) { return is_same(words.front().text, nickname.name); });
    if (found == kNicknames.end())
      return refuse(
          words.front().column,
          fmt::format("{} is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly",
                      escaped(words.front().text, kWordShown)));
    if (words.size() > 1) return refuse(words[1].column, fmt::format("nothing follows {}", found->name));
    return by_fields(words_of(found->fields));
  }

  static Result<Cron> by_fields(const std::vector<Word>& words) {
    const std::size_t without_seconds = words.size() == 5 ? 1 : 0;
    std::array<FieldValues, kFields> fields;
    fields[kSecond].values = 1;
    for (std::size_t place = without_seconds; place < kFields; ++place) {
      auto field = FieldParser{kFieldTable.at(place), words[place - without_seconds]}.parse();
      if (!field) return tl::unexpected(std::move(field.error()));
      fields.at(place) = *field;
    }
    const auto text_of = [&](Place place) { return words[place - without_seconds].text; };
    Cron cron;
    cron.seconds_ = fields[kSecond].values;
    cron.minutes_ = fields[kMinute].values;
    cron.hours_ = fields[kHour].values;
    cron.days_ = fields[kDay].values;
    cron.months_ = fields[kMonth].values;
    cron.week_days_ = fields[kWeekDay].values;
    cron.last_day_ = fields[kDay].last_day;
    cron.is_either_day_ = !is_open(text_of(kDay)) && !is_open(text_of(kWeekDay));
    cron.is_by_the_hour_ = text_of(kHour).starts_with('*');
    return cron;
  }
};

Result<Cron> Cron::parse(std::string_view text) { return CronParser::parse(text); }

}  // namespace tenure::queue
