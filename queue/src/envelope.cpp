#include "canonical_number.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/sha256.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <array>

namespace tenure::queue {
namespace {

constexpr std::string_view kMark = "tenure/";
constexpr std::string_view kUntenantedMark = "-";
constexpr std::size_t kSealDigits = 2 * Seal{}.size();
// The longest header that write_envelope can make, with room: mark, id, two names, two numbers of 20 digits, the seal.
constexpr std::size_t kHeaderMax =
    16 + 36 + limits::kTenantNameMax + limits::kKindNameMax + 2 * 20 + kSealDigits + 9;

tl::unexpected<Failure> bad(std::string_view reason, std::string_view what) {
  return fail(ErrorCode::bad_payload, std::string{reason} + ": " + std::string{what});
}

// Not below 0.
std::optional<std::int64_t> canonical_integer(std::string_view text) {
  const auto value = canonical_number(text);
  return value && *value >= 0 ? value : std::nullopt;
}

constexpr std::size_t kWords = 6;  // and a seventh where it is sealed
using Words = std::array<std::string_view, kWords + 1>;

// How many words the first line has; more than there is room for where they are too many, or one is empty.
std::size_t split(std::string_view line, Words& words) {
  for (std::size_t count = 1;; ++count) {
    const std::size_t space = line.find(' ');
    if (count > words.size() || space == 0 || line.empty()) return words.size() + 1;
    words[count - 1] = line.substr(0, space);
    if (space == std::string_view::npos) return count;
    line.remove_prefix(space + 1);
  }
}

// Small digits only: one value has one text.
std::optional<Seal> seal_in(std::string_view digits) {
  const auto value = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  Seal seal{};
  if (digits.size() != kSealDigits) return std::nullopt;
  for (std::size_t i = 0; i < seal.size(); ++i) {
    const int high = value(digits[2 * i]);
    const int low = value(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    seal[i] = static_cast<std::byte>(high * 16 + low);
  }
  return seal;
}

// Nothing where the bytes begin with no line that could be ours.
std::optional<std::string_view> first_line(std::string_view bytes) {
  if (!bytes.starts_with(kMark)) return std::nullopt;
  const std::size_t end = bytes.substr(0, kHeaderMax).find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(0, end);
}

// A newer header may have any form behind its version.
Result<void> check_version(std::string_view bytes) {
  if (!bytes.starts_with(kMark)) return bad("NotAnEnvelope", "it does not begin with " + std::string{kMark});
  const std::string_view rest = bytes.substr(kMark.size(), 20);
  const auto version = canonical_integer(rest.substr(0, rest.find_first_of(" \n")));
  if (!version || *version < 1) return bad("NotAnEnvelope", "it names no version");
  if (*version > kEnvelopeVersion)
    return fail(ErrorCode::newer_envelope, "the envelope has version " + std::to_string(*version) +
                                               "; this program reads up to " +
                                               std::to_string(kEnvelopeVersion));
  return {};
}

Result<void> read_owner(Envelope& envelope, std::string_view tenant, std::string_view generation) {
  const auto number = canonical_integer(generation);
  if (!number) return bad("OutOfRange", "the generation is no number of ours");
  envelope.generation = Generation{*number};
  if (tenant == kUntenantedMark) {
    if (*number != 0) return bad("OutOfRange", "an untenanted job has generation 0");
    return {};
  }
  if (*number == 0) return bad("OutOfRange", "a tenant's job has a generation above 0");
  auto name = TenantName::parse(tenant);
  if (!name) return bad("OutOfRange", "the tenant's name is none: " + name.error().message);
  envelope.tenant = std::move(*name);
  return {};
}

Result<void> read_arguments(Envelope& envelope, std::string_view size, std::string_view arguments) {
  const auto bytes = canonical_integer(size);
  if (!bytes || static_cast<std::uint64_t>(*bytes) > limits::kPayloadMax)
    return bad("OutOfRange", "the size of the arguments is no number of ours");
  const auto wanted = static_cast<std::size_t>(*bytes);
  if (arguments.size() < wanted)
    return bad("Truncated", std::to_string(arguments.size()) + " bytes of arguments where " +
                                std::string{size} + " are announced");
  if (arguments.size() > wanted)
    return bad("TrailingBytes", std::to_string(arguments.size() - wanted) + " bytes follow the arguments");
  envelope.arguments = arguments;
  return {};
}

}  // namespace

std::string envelope_head(const Envelope& envelope) {
  std::string text;
  text.reserve(kHeaderMax);
  text += kMark;
  text += std::to_string(kEnvelopeVersion);
  text += ' ';
  text += envelope.id.text();
  text += ' ';
  text += envelope.tenant ? std::string_view{envelope.tenant->text()} : kUntenantedMark;
  text += ' ';
  text += std::to_string(envelope.tenant ? envelope.generation.value : 0);
  text += ' ';
  text += envelope.kind;
  text += ' ';
  text += std::to_string(envelope.arguments.size());
  text += '\n';
  return text;
}

std::string write_envelope(const Envelope& envelope) {
  std::string text = envelope_head(envelope);
  text.reserve(kHeaderMax + envelope.arguments.size());
  if (envelope.seal) {
    text.back() = ' ';
    text += hex_text(*envelope.seal);
    text += '\n';
  }
  text += envelope.arguments;
  return text;
}

bool says_same_job(std::string_view bytes, const Envelope& envelope) {
  auto read = read_envelope(bytes);
  if (!read) return false;
  read->seal = envelope.seal;
  return *read == envelope;
}

Result<Envelope> read_envelope(std::string_view bytes) {
  if (auto version = check_version(bytes); !version) return tl::unexpected(version.error());
  const auto line = first_line(bytes);
  if (!line)
    return bytes.size() < kHeaderMax ? bad("Truncated", "its first line has no end")
                                     : bad("NotAnEnvelope", "its first line is too long");
  Words words;
  const std::size_t count = split(*line, words);
  if (count != kWords && count != kWords + 1)
    return bad("NotAnEnvelope", "its first line has neither six words nor a seal behind them");
  const auto& [mark, id, tenant, generation, kind, size, seal] = words;

  Envelope envelope;
  const auto uuid = Uuid::parse(id);
  if (!uuid) return bad("OutOfRange", "the id is no UUID in its canonical form");
  envelope.id = JobId{*uuid};
  if (auto owner = read_owner(envelope, tenant, generation); !owner) return tl::unexpected(owner.error());
  if (!check_name(NameOf::kind, kind))
    return bad("OutOfRange", "the kind '" + escaped(kind) + "' cannot be the name of one");
  envelope.kind = kind;
  if (count > kWords) envelope.seal = seal_in(seal);
  if (count > kWords && !envelope.seal)
    return bad("OutOfRange", "the seal is none: those have " + std::to_string(kSealDigits) + " digits");
  if (auto arguments = read_arguments(envelope, size, bytes.substr(line->size() + 1)); !arguments)
    return tl::unexpected(arguments.error());
  return envelope;
}

}  // namespace tenure::queue
