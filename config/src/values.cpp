#include "values.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace tenure::config {
namespace {

constexpr std::string_view kConfigDir = "%{config_dir}";
constexpr std::size_t kPathMax = 4096;
constexpr std::int64_t kReservedMax = 65'536;  // slots of the largest pool

tl::unexpected<Failure> no(std::string message) {
  return fail(ErrorCode::bad_configuration, std::move(message));
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<std::string> text_of(const RawValue& raw, std::string_view wanted) {
  if (const auto* text = std::get_if<std::string>(&raw.value)) return *text;
  return no(fmt::format("must be {} in quotes", wanted));
}

Result<std::int64_t> integer_of(const RawValue& raw) {
  if (const auto* number = std::get_if<std::int64_t>(&raw.value)) return *number;
  const auto* text = std::get_if<std::string>(&raw.value);
  if (text == nullptr || !raw.from_words) return no("must be a whole number without quotes");
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || rest != end) return no("must be a whole number");
  return number;
}

// Absolute. Relative paths are refused, since a daemon's working folder is nobody's choice.
Result<std::string> absolute_path(std::string text, const std::filesystem::path& config_dir) {
  if (text.starts_with(kConfigDir)) {
    if (config_dir.empty()) return no("there is no configuration file, so %{config_dir} has no meaning");
    text = config_dir.string() + text.substr(kConfigDir.size());
  }
  if (!text.starts_with('/'))
    return no("must be an absolute path, or begin with %{config_dir}, the folder of the configuration file");
  if (text.size() > kPathMax) return no(fmt::format("is longer than {} bytes", kPathMax));
  if (escaped(text, kPathMax) != text) return no("holds characters that cannot be shown");
  return text;
}

// Without "." and "..".
std::string normal_path(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

Result<void> refuse_placeholders(std::string_view path) {
  if (path.find("%{") == std::string_view::npos) return {};
  return no(fmt::format("knows only the placeholder {}, at its front", kConfigDir));
}

Result<void> check_placeholders(std::string_view path) {
  const std::string rule = broken_placeholder_rule(path);
  if (rule.empty()) return {};
  return no(rule.starts_with("must") ? rule : fmt::format("{}, and {} at its front", rule, kConfigDir));
}

// Nothing where it is none.
std::optional<ReservedSlots> reserved_in(const std::map<std::string, std::int64_t>& table) {
  const auto priority = table.find("priority");
  const auto slots = table.find("slots");
  if (table.size() != 2 || priority == table.end() || slots == table.end()) return std::nullopt;
  const ReservedSlots reserved{priority->second, slots->second};
  const bool is_right = reserved.priority >= limits::kPriorityHighest &&
                        reserved.priority < limits::kPriorityLowest && reserved.slots >= 1 &&
                        reserved.slots <= kReservedMax;
  return is_right ? std::optional{reserved} : std::nullopt;
}

struct Assign {
  const Field& field;
  const RawValue& raw;
  const std::filesystem::path& config_dir;

  Result<void> operator()(const DurationRule& rule) const {
    const auto text = text_of(raw, "a duration");
    if (!text) return tl::unexpected(text.error());
    const auto value = parse_duration(*text);
    if (!value) return tl::unexpected(value.error());
    if (*value < rule.min || *value > rule.max) return no("must be " + limits_text(rule));
    *std::get<std::chrono::milliseconds*>(field) = *value;
    return {};
  }
  Result<void> operator()(const SizeRule& rule) const {
    const auto text = text_of(raw, "a size");
    if (!text) return tl::unexpected(text.error());
    const auto value = parse_size(*text);
    if (!value) return tl::unexpected(value.error());
    const bool is_none = rule.may_be_none && *value == 0;
    if (!is_none && (*value < rule.min || *value > rule.max)) return no("must be " + limits_text(rule));
    *std::get<std::uint64_t*>(field) = *value;
    return {};
  }
  Result<void> operator()(const IntegerRule& rule) const {
    const auto value = integer_of(raw);
    if (!value) return tl::unexpected(value.error());
    if (*value < rule.min || *value > rule.max) return no("must be " + limits_text(rule));
    *std::get<std::int64_t*>(field) = *value;
    return {};
  }
  Result<void> operator()(const BooleanRule&) const {
    const auto* const text = std::get_if<std::string>(&raw.value);
    const bool is_word = text != nullptr && raw.from_words && (*text == "true" || *text == "false");
    const auto* const value = std::get_if<bool>(&raw.value);
    if (value == nullptr && !is_word) return no("must be true or false, without quotes");
    *std::get<bool*>(field) = value != nullptr ? *value : *text == "true";
    return {};
  }
  Result<void> operator()(const ChoiceRule& rule) const {
    const auto text = text_of(raw, "a word");
    if (!text) return tl::unexpected(text.error());
    const auto found = std::find(rule.names.begin(), rule.names.end(), *text);
    if (found == rule.names.end()) {
      const auto near = nearest(*text, rule.names);
      return no("must be " + limits_text(rule) + (near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
    }
    const auto& choice = std::get<ChoiceField>(field);
    choice.set(choice.value, static_cast<std::size_t>(found - rule.names.begin()));
    return {};
  }
  Result<void> operator()(const TextRule& rule) const {
    const auto text = text_of(raw, "a text");
    if (!text) return tl::unexpected(text.error());
    if (!rule.accepts(*text)) return no(fmt::format("must be {}", rule.limits()));
    *std::get<std::string*>(field) = *text;
    return {};
  }
  Result<void> operator()(const TextListRule& rule) const {
    std::vector<std::string> list;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&raw.value)) list = *texts;
    else if (const auto* text = std::get_if<std::string>(&raw.value); text != nullptr && raw.from_words)
      list = text->empty() ? list : split(*text, ',');
    else return no("must be a list of texts, as in [\"default\"]");
    if (list.size() < rule.count_min || list.size() > rule.count_max)
      return no("must be " + limits_text(rule));
    for (auto item = list.begin(); item != list.end(); ++item) {
      if (!rule.element.accepts(*item))
        return no(fmt::format("\"{}\" must be {}", escaped(*item), rule.element.limits()));
      if (std::find(list.begin(), item, *item) != item)
        return no(fmt::format("names \"{}\" twice", escaped(*item)));
    }
    *std::get<std::vector<std::string>*>(field) = std::move(list);
    return {};
  }
  Result<void> operator()(const ReservedRule& rule) const {
    const auto* const texts = std::get_if<std::vector<std::string>>(&raw.value);
    const bool is_empty = texts != nullptr && texts->empty();
    const auto* const tables = std::get_if<RawTables>(&raw.value);
    if (tables == nullptr && !is_empty) return no("must be " + limits_text(rule));
    std::vector<ReservedSlots> list;
    for (const auto& table : is_empty ? RawTables{} : *tables) {
      const auto reserved = reserved_in(table);
      if (!reserved) return no("must be " + limits_text(rule));
      if (std::ranges::find(list, reserved->priority, &ReservedSlots::priority) != list.end())
        return no(fmt::format("names the priority {} twice", reserved->priority));
      list.push_back(*reserved);
    }
    std::ranges::sort(list, {}, &ReservedSlots::priority);
    *std::get<std::vector<ReservedSlots>*>(field) = std::move(list);
    return {};
  }
  Result<void> operator()(const PathRule& rule) const {
    const auto text = text_of(raw, "a path");
    if (!text) return tl::unexpected(text.error());
    auto* const to = std::get<std::filesystem::path*>(field);
    if (text->empty() ? rule.may_be_empty : *text == rule.word) {
      *to = *text;
      return {};
    }
    const auto path = absolute_path(*text, config_dir);
    if (!path) return tl::unexpected(path.error());
    if (auto checked = refuse_placeholders(*path); !checked) return checked;
    *to = normal_path(*path);
    return {};
  }
  Result<void> operator()(const TenantPathRule&) const {
    const auto text = text_of(raw, "a path");
    if (!text) return tl::unexpected(text.error());
    const auto path = absolute_path(*text, config_dir);
    if (!path) return tl::unexpected(path.error());
    if (auto checked = check_placeholders(*path); !checked) return checked;
    *std::get<std::string*>(field) = normal_path(*path);
    return {};
  }
};

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

std::string RawValue::text() const {
  return std::visit(Overloaded{[](const std::string& text) { return '"' + escaped(text, 128) + '"'; },
                               [](std::int64_t number) { return fmt::format("{}", number); },
                               [](bool boolean) { return fmt::format("{}", boolean); },
                               [](const std::vector<std::string>& list) {
                                 if (list.empty()) return std::string("[]");
                                 return escaped(fmt::format("[\"{}\"]", fmt::join(list, "\", \"")), 128);
                               },
                               [](const RawTables&) { return std::string("a list of tables"); },
                               [](const OtherType& type) { return std::string(type.name); }},
                    value);
}

Result<void> assign(const Rule& rule, const Field& field, const RawValue& raw,
                    const std::filesystem::path& config_dir) {
  return std::visit(Assign{field, raw, config_dir}, rule);
}

std::string value_text(const Rule& rule, const Field& field) {
  return std::visit(
      Overloaded{
          [](const std::string* text) { return in_quotes(*text); },
          [](const std::filesystem::path* path) { return in_quotes(path->string()); },
          [](const std::vector<std::string>* list) {
            std::vector<std::string> quoted;
            for (const std::string& text : *list) quoted.push_back(in_quotes(text));
            return fmt::format("[{}]", fmt::join(quoted, ", "));
          },
          [](const std::vector<ReservedSlots>* list) {
            std::vector<std::string> tables;
            for (const ReservedSlots& each : *list)
              tables.push_back(fmt::format("{{ priority = {}, slots = {} }}", each.priority, each.slots));
            return fmt::format("[{}]", fmt::join(tables, ", "));
          },
          [](const std::int64_t* number) { return fmt::format("{}", *number); },
          [](const bool* value) { return fmt::format("{}", *value); },
          [](const std::uint64_t* bytes) { return in_quotes(size_text(*bytes)); },
          [](const std::chrono::milliseconds* duration) { return in_quotes(duration_text(*duration)); },
          [&](const ChoiceField& choice) {
            return in_quotes(std::get<ChoiceRule>(rule).names[choice.get(choice.value)]);
          }},
      field);
}

std::string type_text(const Rule& rule) {
  return std::visit(
      Overloaded{[](const DurationRule&) { return "duration"; }, [](const SizeRule&) { return "size"; },
                 [](const IntegerRule&) { return "integer"; }, [](const BooleanRule&) { return "boolean"; },
                 [](const ChoiceRule&) { return "word"; }, [](const TextRule&) { return "text"; },
                 [](const TextListRule&) { return "list of texts"; },
                 [](const ReservedRule&) { return "list of tables"; }, [](const PathRule&) { return "path"; },
                 [](const TenantPathRule&) { return "path with placeholders"; }},
      rule);
}

std::string limits_text(const Rule& rule) {
  return std::visit(
      Overloaded{
          [](const DurationRule& r) {
            return fmt::format("{} to {}", duration_text(r.min), duration_text(r.max));
          },
          [](const SizeRule& r) {
            return fmt::format("{}{} to {}", r.may_be_none ? "0B or " : "", size_text(r.min),
                               size_text(r.max));
          },
          [](const IntegerRule& r) { return fmt::format("{} to {}", r.min, r.max); },
          [](const BooleanRule&) { return std::string("true or false"); },
          [](const ChoiceRule& r) { return fmt::format("one of {}", fmt::join(r.names, ", ")); },
          [](const TextRule& r) { return r.limits(); },
          [](const TextListRule& r) {
            return fmt::format("{} to {} texts, each {}", r.count_min, r.count_max, r.element.limits());
          },
          [](const ReservedRule&) {
            return fmt::format(
                "a list of tables, as in [{{ priority = -10, slots = 2 }}]: {} to {}, and 1 to {}",
                limits::kPriorityHighest, limits::kPriorityLowest - 1, kReservedMax);
          },
          [](const PathRule& r) {
            return fmt::format("absolute{}{}", r.word.empty() ? "" : fmt::format(", or {}", r.word),
                               r.may_be_empty ? ", or empty" : "");
          },
          [](const TenantPathRule&) { return std::string("absolute, holds %{tenant}, may hold %{bucket}"); }},
      rule);
}

}  // namespace tenure::config
