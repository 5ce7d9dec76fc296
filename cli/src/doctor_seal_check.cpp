#include "doctor_checks.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/seal_keys.hpp>
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

constexpr std::string_view kRestart = "systemctl restart tenured";

// Of a key that whoever asks must not read nothing can be said, and nothing is wrong with that. Anything else keeps tenured from starting,
// too.
std::optional<KeyRing> keys_for_looking(Examination& examination) {
  Session& session = examination.session();
  try {
    return session.keys();
  } catch (const Error& error) {
    const std::string message = escaped(error.failure().message, 1024);
    if (config::is_key_of_others(session.settings().security, session.credentials()))
      examination.add(
          FindingLevel::warn, kName,
          "the configured key cannot be read by who asks, so nothing can be said of it: " + message);
    else
      examination.add(
          FindingLevel::fail, kName,
          "tenured will not start by this configuration, and nothing can be enqueued: " + message);
    return std::nullopt;
  }
}

std::optional<queue::JobId> refused_job(Examination& examination, const KeyRing& keys) {
  return examination
      .ask(
          [&](queue::JobReader& reader) { return queue::look_at_seals(reader, std::nullopt, kLooked, keys); })
      .refused;
}

void check_waiting_jobs(Examination& examination, const KeyRing& keys) {
  const auto refused = refused_job(examination, keys);
  if (!refused)
    return examination.add(FindingLevel::ok, kName,
                           "the configured key is in force, and what waits is sealed by it");
  examination.add(
      FindingLevel::fail, kName,
      fmt::format("job {}, and perhaps others, will be refused: it has no seal, or one by a key that "
                  "is not configured",
                  refused->text()),
      "tenure job show " + refused->text());
}

// What a start of tenured would put in force.
void check_new_keys(Examination& examination, const queue::SealMarks& in_force, const KeyRing& keys) {
  if (const auto refused = refused_job(examination, keys))
    return examination.add(
        FindingLevel::fail, kName,
        fmt::format(
            "tenured would not start by the configured keys: job {}, and perhaps others, waits without a "
            "seal, or with one by a key that is not configured; let them end first, with the keys "
            "from before, or cancel them",
            refused->text()),
        "tenure job show " + refused->text());
  if (!queue::check_keys(in_force, keys))
    return examination.add(FindingLevel::fail, kName,
                           "the configured keys come in force when tenured starts; until then nothing can be "
                           "enqueued by this configuration",
                           std::string(kRestart));
  examination.add(FindingLevel::warn, kName,
                  in_force.current ? "the configured keys come in force when tenured starts"
                                   : "a key is configured and not in force yet, so jobs need no seal",
                  std::string(kRestart));
}

}  // namespace

void check_seal_keys(Examination& examination) {
  const config::SecuritySettings& security = examination.session().settings().security;
  const auto in_force = examination.ask([](queue::JobReader& reader) { return reader.seal_marks(); });
  if (!in_force.current && !is_configured(security))
    return examination.add(FindingLevel::ok, kName, "jobs need no seal: no key is configured");
  if (!is_configured(security))
    return examination.add(
        FindingLevel::fail, kName,
        "a key is in force, and security.seal_key is empty here: tenured will not start by this "
        "configuration, and nothing can be enqueued");
  const auto keys = keys_for_looking(examination);
  if (!keys) return;
  const auto to_be = queue::marks_to_be(in_force, *keys);
  if (!to_be)
    return examination.add(FindingLevel::fail, kName,
                           "tenured would not start by this configuration: " + to_be.error().message);
  if (*to_be != in_force) return check_new_keys(examination, in_force, *keys);
  if (!in_force.current)
    return examination.add(FindingLevel::ok, kName, "jobs need no seal: security.seal_key is empty");
  check_waiting_jobs(examination, *keys);
}

}  // namespace tenure::cli
