#include "doctor_checks.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/settings.hpp>
#include <tenure/queue/seal.hpp>

#include <fmt/format.h>

// `tenure doctor seal`: the key that is configured here, the one in force, and the jobs that wait.
namespace tenure::cli {
namespace {

constexpr std::string_view kName = "seal";
constexpr std::size_t kLooked = 10'000;  // jobs that have not ended, the oldest

bool is_configured(const config::SecuritySettings& security) {
  return !security.seal_key.empty() || !security.seal_key_previous.empty();
}

// Where the key is not to be read by whoever asks, nothing can be said of it, and nothing is wrong with that. Anything else would keep tenured
// from starting, too.
std::optional<KeyRing> keys_for_looking(Examination& examination) {
  try {
    return examination.session().keys();
  } catch (const Error& error) {
    examination.add(FindingLevel::warn, kName,
                    "a key is in force, and the configured one cannot be read by who asks: " +
                        escaped(error.failure().message, 1024));
    return std::nullopt;
  }
}

void check_waiting_jobs(Examination& examination, const KeyRing& keys) {
  const auto looked = examination.ask(
      [&](queue::JobReader& reader) { return queue::look_at_seals(reader, std::nullopt, kLooked, keys); });
  if (!looked.refused)
    return examination.add(FindingLevel::ok, kName,
                           "the configured key is in force, and what waits is sealed by it");
  examination.add(
      FindingLevel::fail, kName,
      fmt::format("job {}, and perhaps others, will be refused: it has no seal, or one by a key that "
                  "is not configured",
                  looked.refused->text()),
      "tenure job show " + looked.refused->text());
}

}  // namespace

void check_seal_keys(Examination& examination) {
  const config::SecuritySettings& security = examination.session().settings().security;
  const auto marks = examination.ask([](queue::JobReader& reader) { return reader.seal_marks(); });
  if (!marks.current && !is_configured(security))
    return examination.add(FindingLevel::ok, kName, "jobs need no seal: no key is configured");
  if (!marks.current)
    return examination.add(FindingLevel::warn, kName,
                           "a key is configured and not in force yet, so jobs need no seal",
                           "systemctl restart tenured");
  if (!is_configured(security))
    return examination.add(
        FindingLevel::fail, kName,
        "a key is in force, and security.seal_key is empty here: tenured will not start by this "
        "configuration, and nothing can be enqueued");
  const auto keys = keys_for_looking(examination);
  if (!keys) return;
  if (const auto fits = queue::marks_to_be(marks, *keys); !fits)
    return examination.add(FindingLevel::fail, kName, fits.error().message);
  if (keys->mark_of_current() != marks.current)
    return examination.add(FindingLevel::warn, kName, "the configured keys come in force when tenured starts",
                           "systemctl restart tenured");
  check_waiting_jobs(examination, *keys);
}

}  // namespace tenure::cli
