#pragma once

#include "../dispatcher/outstanding.hpp"
#include "fields.hpp"
#include "names.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <typeinfo>
#include <utility>

// How the values of a journal are laid out, as one text: types, the names and types of their members in order, and what enumerators there
// are and which number each has. Programs whose texts are equal read each other's journals.
namespace tenure::daemon::journal {

class Layout {
 public:
  // 0 to 2^64 - 1 (FNV-1a).
  [[nodiscard]] std::uint64_t digest() const {
    std::uint64_t digest = 0xcbf2'9ce4'8422'2325;
    for (const char byte : text_) digest = (digest ^ static_cast<std::uint8_t>(byte)) * 0x100'0000'01b3;
    return digest;
  }

  [[nodiscard]] const std::string& text() const { return text_; }

  template <class T>
  void add() {
    const std::string_view name = typeid(T).name();
    text_ += name;
    if (!told_.insert(std::string(name)).second) return;
    text_ += '{';
    add_inside<T>();
    text_ += '}';
  }

 private:
  template <class T>
  void add_inside() {
    if constexpr (Shared<T>) add<std::remove_const_t<typename T::element_type>>();
    else if constexpr (Optional<T> || Outcome<T>) add<typename T::value_type>();
    else if constexpr (Variant<T>)
      add_each(static_cast<T*>(nullptr), std::make_index_sequence<std::variant_size_v<T>>{});
    else if constexpr (Optionals<T> || Tuple<T>)
      add_elements<T>(std::make_index_sequence<std::tuple_size_v<T>>{});
    else if constexpr (Container<T>) add<typename T::value_type>();
    else if constexpr (Remembering<T>) {
      text_ += names_of_members<T>();
      add_remembered(static_cast<RememberedBy<T>*>(nullptr));
    } else if constexpr (Plain<T>) {
      text_ += names_of_members<T>();
      add_members<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>{});
    } else if constexpr (std::is_enum_v<T>) text_ += names_of_enumerators<T>();
  }
  template <class T, std::size_t... kIndex>
  void add_each(T*, std::index_sequence<kIndex...>) {
    (add<std::variant_alternative_t<kIndex, T>>(), ...);
  }
  template <class T, std::size_t... kIndex>
  void add_elements(std::index_sequence<kIndex...>) {
    (add<std::remove_const_t<std::tuple_element_t<kIndex, T>>>(), ...);
  }
  template <class... Members>
  void add_remembered(std::tuple<Members&...>*) {
    (add<Members>(), ...);
  }
  template <class T, std::size_t... kIndex>
  void add_members(std::index_sequence<kIndex...>) {
    (add<boost::pfr::tuple_element_t<kIndex, T>>(), ...);
  }

  std::string text_;
  std::set<std::string> told_;
};

}  // namespace tenure::daemon::journal
