#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <array>
#include <charconv>

namespace tenure::queue {
namespace {

constexpr std::string_view kMark = "tenure/";
constexpr std::string_view kUntenantedMark = "-";
// The longest header that write_envelope can make, with room: mark, id, two names, two numbers of 20 digits.
constexpr std::size_t kHeaderMax = 16 + 36 + limits::kTenantNameMax + limits::kKindNameMax + 2 * 20 + 8;

tl::unexpected<Failure> bad(std::string_view reason, std::string_view what) {
  return fail(ErrorCode::bad_payload, std::string{reason} + ": " + std::string{what});
}

// One value has one text: no sign, no leading zero.
std::optional<std::int64_t> canonical_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  if (text.front() == '-') return std::nullopt;
  return value;
}

// The words of the first line, exactly as many as the array has.
template <std::size_t kCount>
bool split(std::string_view line, std::array<std::string_view, kCount>& words) {
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::size_t space = line.find(' ');
    const bool is_last = i + 1 == kCount;
    if (is_last != (space == std::string_view::npos)) return false;
    words[i] = line.substr(0, space);
    if (!is_last) line.remove_prefix(space + 1);
  }
  return true;
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

std::string write_envelope(const Envelope& envelope) {
  std::string text;
  text.reserve(kHeaderMax + envelope.arguments.size());
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
  text += envelope.arguments;
  return text;
}

Result<Envelope> read_envelope(std::string_view bytes) {
  if (auto version = check_version(bytes); !version) return tl::unexpected(version.error());
  const auto line = first_line(bytes);
  if (!line)
    return bytes.size() < kHeaderMax ? bad("Truncated", "its first line has no end")
                                     : bad("NotAnEnvelope", "its first line is too long");
  std::array<std::string_view, 6> words;
  if (!split(*line, words)) return bad("NotAnEnvelope", "its first line has not six words");
  const auto& [mark, id, tenant, generation, kind, size] = words;

  Envelope envelope;
  const auto uuid = Uuid::parse(id);
  if (!uuid) return bad("OutOfRange", "the id is no UUID in its canonical form");
  envelope.id = JobId{*uuid};
  if (auto owner = read_owner(envelope, tenant, generation); !owner) return tl::unexpected(owner.error());
  if (!check_name(NameOf::kind, kind))
    return bad("OutOfRange", "the kind '" + escaped(kind) + "' cannot be the name of one");
  envelope.kind = kind;
  if (auto arguments = read_arguments(envelope, size, bytes.substr(line->size() + 1)); !arguments)
    return tl::unexpected(arguments.error());
  return envelope;
}

}  // namespace tenure::queue
