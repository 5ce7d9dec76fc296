#pragma once

#include "fields.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

// Values as text, all of them: "Assign{ProcessNumber 3, [ClaimedJob{JobSeq 12, ...}]}". What the journal has left out of a text is shown
// by its length: "(120 bytes)".
namespace tenure::daemon::journal {

// "JobSeq", "EndsPart::Told"
[[nodiscard]] std::string name_of_type(const std::type_info& type);

// Bytes of one text that are shown.
inline constexpr std::size_t kTextShown = 4096;

class ValueText {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }

  template <class T>
  void add(const T& value) {
    if constexpr (std::same_as<T, ErrorCode>) text_ += name_of(value);
    else if constexpr (std::is_enum_v<T>)
      text_ += fmt::format("{} {}", name_of_type(typeid(T)), static_cast<std::int64_t>(value));
    else if constexpr (Number<T>) text_ += fmt::format("{}", value);
    else if constexpr (StrongNumber<T>) add_strong(value);
    else if constexpr (Duration<T>) text_ += fmt::format("{}{}", value.count(), unit_of<T>());
    else if constexpr (std::same_as<T, WallTime>) text_ += to_rfc3339(value);
    else if constexpr (std::same_as<T, Instant>) text_ += fmt::format("{}us", value.since_start.count());
    else if constexpr (std::same_as<T, std::string>) add_text(value);
    else if constexpr (std::same_as<T, TenantName>) add_text(value.text());
    else if constexpr (std::same_as<T, Uuid>) text_ += value.text();
    else if constexpr (std::same_as<T, std::monostate>) text_ += '-';
    else if constexpr (Optional<T> || Shared<T>) value ? add(*value) : void(text_ += '-');
    else if constexpr (Outcome<T>) value ? add(*value) : add(value.error());
    else if constexpr (Variant<T>) std::visit([this](const auto& kind) { add(kind); }, value);
    else if constexpr (Optionals<T>) add_present(value);
    else if constexpr (Tuple<T>)
      std::apply([this](const auto&... each) { add_list('(', ')', each...); }, value);
    else if constexpr (Container<T>) add_elements(value);
    else add_plain(value);
  }

 private:
  template <class T>
  static std::string_view unit_of() {
    using Period = typename T::period;
    if constexpr (std::same_as<Period, std::micro>) return "us";
    else if constexpr (std::same_as<Period, std::milli>) return "ms";
    else return "s";
  }
  template <class Tag, class Integer>
  void add_strong(const Strong<Tag, Integer>& value) {
    std::string name = name_of_type(typeid(Tag*));
    if (name.ends_with("Tag*")) name.resize(name.size() - 4);
    text_ += fmt::format("{} {}", name, value.value);
  }
  void add_text(const std::string& text) {
    if (!text.empty() && text.find_first_not_of('\0') == std::string::npos)
      text_ += fmt::format("({} bytes)", text.size());
    else text_ += fmt::format("\"{}\"", escaped(text, kTextShown));
  }
  template <class... Kinds>
  void add_list(char open, char close, const Kinds&... values) {
    text_ += open;
    bool is_first = true;
    ((add_separator(is_first), add(values)), ...);
    text_ += close;
  }
  void add_separator(bool& is_first) {
    if (!is_first) text_ += ", ";
    is_first = false;
  }
  template <class T>
  void add_present(const T& parts) {
    text_ += '[';
    bool is_first = true;
    const auto add_one = [&](const auto& part) {
      if (!part) return;
      add_separator(is_first);
      add(*part);
    };
    std::apply([&](const auto&... part) { (add_one(part), ...); }, parts);
    text_ += ']';
  }
  template <class T>
  void add_elements(const T& values) {
    text_ += '[';
    bool is_first = true;
    for (const auto& value : values) {
      add_separator(is_first);
      add(static_cast<const typename T::value_type&>(value));
    }
    text_ += ']';
  }
  template <Plain T>
  void add_plain(const T& value) {
    text_ += name_of_type(typeid(T));
    text_ += '{';
    bool is_first = true;
    for_each_member(value, [&](const auto& member) {
      add_separator(is_first);
      add(member);
    });
    text_ += '}';
  }

  std::string text_;
};

}  // namespace tenure::daemon::journal
