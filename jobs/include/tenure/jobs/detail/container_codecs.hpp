#pragma once

#include <tenure/jobs/detail/archives.hpp>

#include <array>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

// The standard containers. None of them is made larger than what has been read: a size is never believed.
namespace tenure::detail {

using Form = OutputFrame::Form;

template <class T>
void write_element(PayloadWriter& writer, OutputFrame& frame, const T& value) {
  frame.element([&] { Codec<T>::write(writer, value); });
}

template <class Visit>
void for_each_element(PayloadReader& reader, const json::Value& at, Visit visit) {
  PayloadInput::require_array(at);
  const PayloadInput::Level level(reader.input(), at);
  at.each_element([&](json::Value element) {
    visit(element);
    return true;
  });
}

template <class Sequence>
struct SequenceCodec {
  using Element = typename Sequence::value_type;
  static void write(PayloadWriter& writer, const Sequence& sequence) {
    OutputFrame frame(writer.output(), Form::array);
    for (const auto& element : sequence) write_element<Element>(writer, frame, element);
    frame.close();
  }
  static void read(PayloadReader& reader, const json::Value& at, Sequence& sequence) {
    sequence.clear();
    for_each_element(reader, at, [&](const json::Value& element) {
      sequence.push_back(reader.read_new<Element>(element));
    });
  }
};

template <class T, class Allocator>
struct Codec<std::vector<T, Allocator>> : SequenceCodec<std::vector<T, Allocator>> {};
template <class T, class Allocator>
struct Codec<std::deque<T, Allocator>> : SequenceCodec<std::deque<T, Allocator>> {};
template <class T, class Allocator>
struct Codec<std::list<T, Allocator>> : SequenceCodec<std::list<T, Allocator>> {};

template <class Set>
struct SetCodec {
  using Element = typename Set::value_type;
  static void write(PayloadWriter& writer, const Set& set) {
    OutputFrame frame(writer.output(), Form::sorted_array);
    for (const auto& element : set) write_element<Element>(writer, frame, element);
    frame.close();
  }
  static void read(PayloadReader& reader, const json::Value& at, Set& set) {
    set.clear();
    for_each_element(reader, at, [&](const json::Value& element) {
      if (!set.insert(reader.read_new<Element>(element)).second)
        refuse("DuplicateKey", "the set holds this element already", element.path());
    });
  }
};

template <class T, class Compare, class Allocator>
struct Codec<std::set<T, Compare, Allocator>> : SetCodec<std::set<T, Compare, Allocator>> {};
template <class T, class Hash, class Equal, class Allocator>
struct Codec<std::unordered_set<T, Hash, Equal, Allocator>>
    : SetCodec<std::unordered_set<T, Hash, Equal, Allocator>> {};

// An object if the keys are strings, else a sorted array of [key, value].
template <class Map>
struct MapCodec {
  using Key = typename Map::key_type;
  using Mapped = typename Map::mapped_type;

  static void write(PayloadWriter& writer, const Map& map) {
    if constexpr (std::same_as<Key, std::string>) {
      OutputFrame frame(writer.output(), Form::object);
      // No structured bindings: lambdas of clang's C++20 do not take them.
      for (const auto& entry : map)
        frame.field(entry.first, [&] { Codec<Mapped>::write(writer, entry.second); });
      frame.close();
    } else {
      OutputFrame frame(writer.output(), Form::sorted_array);
      for (const auto& entry : map) frame.element([&] { write_pair(writer, entry.first, entry.second); });
      frame.close();
    }
  }

  static void read(PayloadReader& reader, const json::Value& at, Map& map) {
    map.clear();
    if constexpr (std::same_as<Key, std::string>) {
      PayloadInput::require_object(at);
      const PayloadInput::Level level(reader.input(), at);
      at.each_member([&](std::string_view key, json::Value member) {
        add(map, std::string(key), reader.read_new<Mapped>(member), member);
        return true;
      });
    } else {
      for_each_element(reader, at, [&](const json::Value& entry) {
        const auto pair = PayloadInput::exactly(2, entry);
        add(map, reader.read_new<Key>(pair[0]), reader.read_new<Mapped>(pair[1]), entry);
      });
    }
  }

 private:
  static void write_pair(PayloadWriter& writer, const Key& key, const Mapped& mapped) {
    OutputFrame pair(writer.output(), Form::array);
    write_element(writer, pair, key);
    write_element(writer, pair, mapped);
    pair.close();
  }
  static void add(Map& map, Key key, Mapped mapped, const json::Value& at) {
    if (!map.emplace(std::move(key), std::move(mapped)).second)
      refuse("DuplicateKey", "the map holds this key already", at.path());
  }
};

template <class Key, class T, class Compare, class Allocator>
struct Codec<std::map<Key, T, Compare, Allocator>> : MapCodec<std::map<Key, T, Compare, Allocator>> {};
template <class Key, class T, class Hash, class Equal, class Allocator>
struct Codec<std::unordered_map<Key, T, Hash, Equal, Allocator>>
    : MapCodec<std::unordered_map<Key, T, Hash, Equal, Allocator>> {};

// Whatever has a fixed number of elements is an array of exactly so many.
template <class Tuple>
struct TupleCodec {
  static constexpr auto kSize = std::tuple_size_v<Tuple>;

  static void write(PayloadWriter& writer, const Tuple& tuple) {
    OutputFrame frame(writer.output(), Form::array);
    std::apply([&](const auto&... elements) { (write_element(writer, frame, elements), ...); }, tuple);
    frame.close();
  }
  static void read(PayloadReader& reader, const json::Value& at, Tuple& tuple) {
    const PayloadInput::Level level(reader.input(), at);
    const auto elements = PayloadInput::exactly(kSize, at);
    std::size_t index = 0;
    std::apply([&](auto&... parts) { (reader.read(elements[index++], parts), ...); }, tuple);
  }
};

template <class First, class Second>
struct Codec<std::pair<First, Second>> : TupleCodec<std::pair<First, Second>> {};
template <class... T>
struct Codec<std::tuple<T...>> : TupleCodec<std::tuple<T...>> {};

template <class T, std::size_t kSize>
struct Codec<std::array<T, kSize>> {
  using Array = std::array<T, kSize>;
  static void write(PayloadWriter& writer, const Array& array) {
    OutputFrame frame(writer.output(), Form::array);
    for (const T& element : array) write_element(writer, frame, element);
    frame.close();
  }
  static void read(PayloadReader& reader, const json::Value& at, Array& array) {
    const PayloadInput::Level level(reader.input(), at);
    const auto elements = PayloadInput::exactly(kSize, at);
    for (std::size_t i = 0; i < kSize; ++i) reader.read(elements[i], array[i]);
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static_assert(!kIsOptional<T> && !std::same_as<T, std::monostate>,
                "tenure: null inside null cannot be told apart. Use std::variant, or one std::optional.");
  static void write(PayloadWriter& writer, const std::optional<T>& optional) {
    if (!optional) return writer.output().null();
    const std::size_t begin = writer.output().size();
    Codec<T>::write(writer, *optional);
    if (writer.output().text_from(begin) == "null")
      writer.output().refuse("WrongType",
                             "a value that is written as null cannot be told from an absent one");
  }
  static void read(PayloadReader& reader, const json::Value& at, std::optional<T>& optional) {
    optional.reset();
    if (at.type() != json::Type::null) optional.emplace(reader.read_new<T>(at));
  }
};

template <>
struct Codec<std::monostate> {
  static void write(PayloadWriter& writer, std::monostate) { writer.output().null(); }
  static void read(PayloadReader&, const json::Value& at, std::monostate&) {
    if (at.type() != json::Type::null) refuse("WrongType", "null was expected", at.path());
  }
};

// [index, value]: new alternatives go to the end.
template <class... T>
struct Codec<std::variant<T...>> {
  using Variant = std::variant<T...>;

  static void write(PayloadWriter& writer, const Variant& variant) {
    if (variant.valueless_by_exception()) writer.output().refuse("WrongType", "the variant holds no value");
    OutputFrame frame(writer.output(), Form::array);
    write_element(writer, frame, static_cast<std::uint64_t>(variant.index()));
    std::visit([&](const auto& value) { write_element(writer, frame, value); }, variant);
    frame.close();
  }
  static void read(PayloadReader& reader, const json::Value& at, Variant& variant) {
    const PayloadInput::Level level(reader.input(), at);
    const auto pair = PayloadInput::exactly(2, at);
    const auto index = value_or_raise(pair[0].unsigned_integer());
    if (index >= sizeof...(T))
      refuse("OutOfRange", "the variant has no alternative of this number", pair[0].path());
    read_alternative(reader, pair[1], index, variant, std::index_sequence_for<T...>{});
  }

 private:
  template <std::size_t... kIndex>
  static void read_alternative(PayloadReader& reader, const json::Value& at, std::uint64_t index,
                               Variant& variant, std::index_sequence<kIndex...>) {
    const auto read_if = [&]<std::size_t kThis>(std::integral_constant<std::size_t, kThis>) {
      using Alternative = std::variant_alternative_t<kThis, Variant>;
      if (index == kThis) variant.template emplace<kThis>(reader.read_new<Alternative>(at));
    };
    (read_if(std::integral_constant<std::size_t, kIndex>{}), ...);
  }
};

}  // namespace tenure::detail
