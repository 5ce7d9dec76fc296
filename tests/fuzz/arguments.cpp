// A job's arguments, read into a type that uses every shape there is. They decode, or are refused by one of the typed errors
// of payloads and Global IDs with a path; what decodes has one text, which decodes to the same text again. Without the type they
// have one canonical text, or are refused alike, and what a type has written is canonical.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/queue/arguments.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

namespace tenure {
namespace fuzz {

struct Invoice {};
struct Currency {};
enum class Color : std::int8_t { red = -1, green, blue };

}  // namespace fuzz

template <>
struct Model<fuzz::Invoice> {
  static constexpr std::string_view name = "Invoice";
  static std::optional<fuzz::Invoice> load(TenantReader&, std::string_view) { return std::nullopt; }
};
template <>
struct Model<fuzz::Currency> {
  static constexpr std::string_view name = "Currency";
  static constexpr bool shared = true;
  static std::optional<fuzz::Currency> load(TenantReader&, std::string_view) { return std::nullopt; }
};
template <>
struct EnumRange<fuzz::Color> {
  static constexpr fuzz::Color first = fuzz::Color::red, last = fuzz::Color::blue;
};

namespace fuzz {
namespace {

struct Scalars {
  bool flag = false;
  char character = 0;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int16_t i16 = 0;
  std::uint16_t u16 = 0;
  std::int32_t i32 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float single = 0;
  double real = 0;
  Color color = Color::green;
  std::string text;
  Bytes bytes;
  std::chrono::milliseconds wait{};
  std::chrono::sys_time<std::chrono::microseconds> at{};

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(flag), CEREAL_NVP(character), CEREAL_NVP(i8), CEREAL_NVP(u8), CEREAL_NVP(i16),
            CEREAL_NVP(u16), CEREAL_NVP(i32), CEREAL_NVP(u32), CEREAL_NVP(i64), CEREAL_NVP(u64));
    archive(CEREAL_NVP(single), CEREAL_NVP(real), CEREAL_NVP(color), CEREAL_NVP(text), CEREAL_NVP(bytes),
            CEREAL_NVP(wait), CEREAL_NVP(at));
  }
};

struct Containers {
  std::vector<std::vector<int>> numbers;
  std::deque<std::string> deque;
  std::list<bool> list;
  std::set<std::string> words;
  std::unordered_set<int> unordered;
  std::map<std::string, std::optional<int>> by_name;
  std::map<int, std::string> by_number;
  std::unordered_map<std::string, double> unordered_by_name;
  std::array<int, 2> array{};
  std::pair<int, std::string> pair;
  std::tuple<int, std::string, bool> tuple;
  std::variant<std::monostate, int, std::string> choice;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(numbers), CEREAL_NVP(deque), CEREAL_NVP(list), CEREAL_NVP(words),
            CEREAL_NVP(unordered), CEREAL_NVP(by_name), CEREAL_NVP(by_number), CEREAL_NVP(unordered_by_name));
    archive(CEREAL_NVP(array), CEREAL_NVP(pair), CEREAL_NVP(tuple), CEREAL_NVP(choice));
  }
};

// Written by save and read by load, as one bare value.
struct Cents {
  std::int64_t value = 0;
  template <class Archive>
  std::int64_t save_minimal(const Archive&) const {
    return value;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::int64_t& cents) {
    value = cents;
  }
};

// Every field may be absent, so that an input can be about one of them.
struct Everything {
  std::optional<Scalars> scalars;
  std::optional<Containers> containers;
  std::optional<Cents> price;
  std::optional<Ref<Invoice>> invoice;
  std::optional<Ref<Currency>> currency;
  std::vector<Ref<Invoice>> invoices;
  std::vector<Everything> children;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(scalars), CEREAL_NVP(containers), CEREAL_NVP(price), CEREAL_NVP(invoice),
            CEREAL_NVP(currency), optional_field(CEREAL_NVP(invoices)), optional_field(CEREAL_NVP(children)));
  }
};

constexpr PayloadLimits kLimits{.bytes_max = 64UL * 1024};
// What is left out is written as its default, and a control character of two bytes as an escape of six.
constexpr PayloadLimits kRewrittenLimits{.bytes_max = limits::kPayloadMax};

TenantPayloadContext acme() { return {"billing", TenantName{"acme"}}; }

std::string encoded(const Everything& value) {
  auto context = acme();
  return encode_arguments(value, context, kRewrittenLimits);
}

Everything decoded(std::string_view text, const PayloadLimits& limits) {
  auto context = acme();
  return decode_arguments<Everything>(text, context, limits);
}

std::string canonical(std::string_view text) {
  auto context = acme();
  return queue::canonical_arguments(text, context, kRewrittenLimits);
}

void check_refusal(const Error& error) {
  constexpr std::array kCodes{ErrorCode::bad_payload, ErrorCode::payload_too_large, ErrorCode::wrong_tenant,
                              ErrorCode::no_tenant,   ErrorCode::missing_tenant,    ErrorCode::bad_global_id};
  require(std::ranges::find(kCodes, error.code()) != kCodes.end(),
          "a refusal is an error of payloads or of Global IDs");
  require(error.failure().where.starts_with('$'), "a refusal has a path");
  require(is_utf8(error.what()), "the message is text");
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 512};

}  // namespace fuzz
}  // namespace tenure

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure::fuzz;
  try {
    const std::string text = canonical(text_of(data, size));
    require(canonical(text) == text, "the canonical text is stable");
  } catch (const tenure::Error& error) {
    check_refusal(error);
  }
  std::optional<Everything> value;
  try {
    value = decoded(text_of(data, size), kLimits);
  } catch (const tenure::Error& error) {
    check_refusal(error);
    return 0;
  }
  accepted();
  const std::string once = encoded(*value);
  require(canonical(once) == once, "what is written is canonical");
  require(encoded(decoded(once, kRewrittenLimits)) == once, "writing what was read is stable");
  return 0;
}
