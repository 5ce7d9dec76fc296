#include <tenure/base/error_names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/file_name.hpp>

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace tenure::replay {
namespace {

constexpr std::string_view kPasses = "passes";
constexpr std::string_view kFails = "fails";
constexpr std::string_view kForms =
    "a capsule is called NAME.capsule, NAME.passes.capsule, NAME.fails.capsule or NAME.fails.ERROR.capsule";

tl::unexpected<Failure> bad(const std::string& file, const std::string& why) {
  return fail(ErrorCode::bad_options, fmt::format("{}: {}", escaped(file), why));
}

// The name and what stands behind its last dot; nothing where there is no dot.
struct Parted {
  std::string_view front;
  std::optional<std::string_view> last;
};
Parted part(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {name, std::nullopt};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

bool is_almost(std::string_view word, std::string_view meant) {
  const std::array candidates{meant};
  return word != meant && nearest(word, candidates).has_value();
}

Result<Expectation> expected_error(const std::string& file, std::string_view name) {
  if (const auto code = error_named(name)) return Expectation{Expectation::Outcome::fails, code};
  const auto near = nearest(name, error_names());
  return bad(file, fmt::format("there is no error {}{}", escaped(name),
                               near ? fmt::format("; did you mean {}?", *near) : ""));
}

}  // namespace

Result<Expectation> expectation_of(const std::filesystem::path& file) {
  const std::string whole = file.filename().string();
  if (!whole.ends_with(kCapsuleEnding)) return bad(whole, std::string(kForms));
  const std::string_view name = std::string_view{whole}.substr(0, whole.size() - kCapsuleEnding.size());
  const auto [front, last] = part(name);
  if (name.empty() || (last && front.empty())) return bad(whole, std::string(kForms));
  if (!last) return Expectation{};
  if (*last == kPasses) return Expectation{Expectation::Outcome::passes};
  if (*last == kFails) return Expectation{Expectation::Outcome::fails};
  if (const Parted before = part(front); before.last == kFails) return expected_error(whole, *last);
  for (const std::string_view word : {kPasses, kFails})
    if (is_almost(*last, word)) return bad(whole, fmt::format("did you mean .{}{}?", word, kCapsuleEnding));
  return Expectation{};
}

std::string capsule_name(const queue::JobId& job, const queue::ClaimToken& token) {
  return fmt::format("{}.{}.{}{}", job.text(), token.incarnation.value, token.counter, kCapsuleEnding);
}

std::string text_of(const Expectation& expected) {
  switch (expected.outcome) {
    case Expectation::Outcome::as_recorded:
      return "the same";
    case Expectation::Outcome::passes:
      return "passes";
    case Expectation::Outcome::fails:
      return expected.error ? fmt::format("fails by {}", name_of(*expected.error)) : "fails";
  }
  invariant_broken("unknown expectation", __FILE__, __LINE__);
}

}  // namespace tenure::replay
