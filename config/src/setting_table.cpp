#include "setting.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/listen_address.hpp>
#include <tenure/config/seal_keys.hpp>
#include <tenure/config/setting_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenure::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNodeNameMax = 253;  // bytes of a host name

// A host name.
bool is_node_name(std::string_view text) {
  return text.size() <= kNodeNameMax && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                  c == '-' || c == '.';
         });
}

constexpr DurationRule kRetentionRule{1h, 24h * 3650};

const TextRule kListenRule{
    [] {
      return fmt::format(
          "empty, unix:PATH (absolute, at most {} bytes) or ADDRESS:PORT, as in 127.0.0.1:7421 or [::1]:7421",
          kSocketPathMax);
    },
    [](std::string_view text) { return text.empty() || parse_listen_address(text).has_value(); }};

constexpr std::size_t kCredentialNameMax = 255;
constexpr std::size_t kKeyPathMax = 4096;

bool is_key_place(std::string_view text) {
  if (text.empty()) return true;
  if (escaped(text, kKeyPathMax) != text || text.size() > kKeyPathMax) return false;
  if (text.starts_with(kKeyFileFront)) return text.substr(kKeyFileFront.size()).starts_with('/');
  if (!text.starts_with(kCredentialFront)) return false;
  const std::string_view name = text.substr(kCredentialFront.size());
  return !name.empty() && name.size() <= kCredentialNameMax && name.find('/') == std::string_view::npos &&
         name != "." && name != "..";
}

const TextRule kKeyPlaceRule{[] {
                               return fmt::format(
                                   "empty, {}NAME or {}/PATH: where a key is read from, never the key itself",
                                   kCredentialFront, kKeyFileFront);
                             },
                             is_key_place};

constexpr std::size_t kMaskMax = 128;  // bytes of a pattern
constexpr std::size_t kMaskPatternsMax = 200;

const TextRule kMaskRule{[] {
                           return fmt::format(
                               "a name of 1 to {} bytes without commas and characters that cannot be seen, "
                               "in which * is any run and ? any character",
                               kMaskMax);
                         },
                         [](std::string_view text) {
                           return !text.empty() && text.size() <= kMaskMax &&
                                  text.find(',') == std::string_view::npos && escaped(text, kMaskMax) == text;
                         }};

constexpr std::array<std::string_view, 2> kWhenHeld{"stand_by", "exit"};
constexpr std::array<std::string_view, 2> kDurability{"durable", "ordered"};
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 3> kFormats{"auto", "text", "json"};

constexpr std::uint64_t kPayloadMin = 1024;
constexpr std::uint64_t kJournalMin = 1ULL << 20U;  // less holds no more than snapshots
constexpr std::uint64_t kJournalMax = 1ULL << 30U;
constexpr std::uint64_t kCapsuleMin = 1ULL << 20U;
constexpr std::uint64_t kCapsuleMax = 1ULL << 40U;
constexpr std::uint64_t kCapsuleFolderMax = 1ULL << 44U;

const std::array kPlainSettings{
    Setting<Settings>{
        .section = "application",
        .key = "name",
        .rule = kNameRule<NameOf::application>,
        .field = [](Settings& s) -> Field { return &s.application.name; },
        .help = "The APP of every Global ID, gid://APP/MODEL/ID?tenant=NAME. All programs of one control\n"
                "database say the same. Change it only while the queue is empty."},
    Setting<Settings>{
        .section = "application",
        .key = "waiting_jobs_max",
        .rule = IntegerRule{1, 10'000'000},
        .field = [](Settings& s) -> Field { return &s.application.waiting_jobs_max; },
        .help =
            "So many jobs wait in calls of async_enqueue of one client; one more is refused, and nothing\n"
            "of it is stored. Read by the program that enqueues."},
    Setting<Settings>{.section = "application",
                      .key = "waiting_bytes_max",
                      .rule = SizeRule{1ULL << 20U, 1ULL << 40U},
                      .field = [](Settings& s) -> Field { return &s.application.waiting_bytes_max; },
                      .help = "So many bytes of arguments do."},
    Setting<Settings>{.section = "application",
                      .key = "waiting_ends_max",
                      .rule = IntegerRule{1, 10'000'000},
                      .field = [](Settings& s) -> Field { return &s.application.waiting_ends_max; },
                      .help = "So many calls of async_wait wait for the ends of jobs."},
    Setting<Settings>{.section = "daemon",
                      .key = "node",
                      .rule = TextRule{[] {
                                         return fmt::format(
                                             "empty or a host name: letters, digits, . _ -, at most {} bytes",
                                             kNodeNameMax);
                                       },
                                       is_node_name},
                      .field = [](Settings& s) -> Field { return &s.daemon.node; },
                      .help = "The name of this machine in logs and attempts. Empty: its host name."},
    Setting<Settings>{
        .section = "daemon",
        .key = "stop_deadline",
        .rule = DurationRule{0s, 1h},
        .field = [](Settings& s) -> Field { return &s.daemon.stop_deadline; },
        .help =
            "How long running jobs may still run when the daemon stops; their stop token is set at 80 %.\n"
            "The unit's TimeoutStopSec need not be changed: systemd is told. Another service manager waits 5 "
            "s "
            "longer.",
        .taken_over = TakenOver::by_reload},
    Setting<Settings>{
        .section = "daemon",
        .key = "when_held",
        .rule = ChoiceRule{kWhenHeld},
        .field = [](Settings& s) -> Field { return choice_field(s.daemon.when_held); },
        .help = "What a second daemon does while another one holds the control database: wait for it, or\n"
                "name its pid and exit with 75."},
    Setting<Settings>{.section = "daemon",
                      .key = "ping_max",
                      .rule = DurationRule{1s, 10min},
                      .field = [](Settings& s) -> Field { return &s.daemon.ping_max; },
                      .help = "A worker process that answers no ping for so long is aborted, then killed.",
                      .taken_over = TakenOver::by_reload},
    Setting<Settings>{
        .section = "daemon",
        .key = "control_socket",
        .rule = PathRule{.may_be_empty = true, .word = kAutomaticSocket},
        .field = [](Settings& s) -> Field { return &s.daemon.control_socket; },
        .help =
            "Where tenure worker and tenure config reload ask the daemon; for its user and group. auto:\n"
            "/run/tenure/control.sock where store.path is the default, else control.sock in a folder beside\n"
            "it, STORE-run. A folder that only its owner may write. Empty: nowhere."},
    Setting<Settings>{
        .section = "daemon",
        .key = "journal_size",
        .rule = SizeRule{kJournalMin, kJournalMax, true},
        .field = [](Settings& s) -> Field { return &s.daemon.journal_size; },
        .help =
            "Memory for the dispatcher's journal, the latest that it was told and decided. tenure replay\n"
            "journal dump writes it to a file, and so does tenured when it crashes. 0: none is kept."},
    Setting<Settings>{
        .section = "store",
        .key = "path",
        .rule = PathRule{.may_be_empty = false},
        .field = [](Settings& s) -> Field { return &s.store.path; },
        .help = "The control database: queue and tenant registry. Not on a network file system."},
    Setting<Settings>{
        .section = "store",
        .key = "durability",
        .rule = ChoiceRule{kDurability},
        .field = [](Settings& s) -> Field { return choice_field(s.store.durability); },
        .help =
            "When an enqueue answers. durable: when its jobs are on disk. ordered: before; a power cut or a\n"
            "crash of the system may then lose the last 100 ms of enqueues that were answered. Killing\n"
            "processes loses nothing either way."},
    Setting<Settings>{.section = "store",
                      .key = "poll",
                      .rule = DurationRule{100ms, 1min},
                      .field = [](Settings& s) -> Field { return &s.store.poll; },
                      .help = "How soon new work is found where its wake hint was lost.",
                      .taken_over = TakenOver::by_reload},
    Setting<Settings>{.section = "store",
                      .key = "payload_max",
                      .rule = SizeRule{kPayloadMin, limits::kPayloadMax},
                      .field = [](Settings& s) -> Field { return &s.store.payload_max; },
                      .help = "A job with more bytes than this is refused at enqueue."},
    Setting<Settings>{
        .section = "tenants",
        .key = "path",
        .rule = TenantPathRule{},
        .field = [](Settings& s) -> Field { return &s.tenants.path; },
        .help =
            "Where each tenant's database lies. %{tenant} is its name, %{bucket} two digits made from the\n"
            "name, so that no folder grows too large. Not to be changed once tenants exist."},
    Setting<Settings>{
        .section = "tenants",
        .key = "migrations",
        .rule = PathRule{.may_be_empty = true},
        .field = [](Settings& s) -> Field { return &s.tenants.migrations; },
        .help = "The folder of your numbered .sql files, which make a tenant's tables when it is created.\n"
                "Later ones reach tenants that are there by tenure tenant migrate. Empty: none.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{.section = "tenants",
                      .key = "migrate_on_touch",
                      .rule = BooleanRule{},
                      .field = [](Settings& s) -> Field { return &s.tenants.migrate_on_touch; },
                      .help = "Whether a job that waits for a migration of its tenant starts one, a job "
                              "tenure.migrate. Else it\n"
                              "waits for tenure tenant migrate.",
                      .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "tenants",
        .key = "descriptors_max",
        .rule = IntegerRule{3, 65536},
        .field = [](Settings& s) -> Field { return &s.tenants.descriptors_max; },
        .help =
            "File descriptors that one worker process may spend on tenants' databases; a connection takes\n"
            "up to three.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "tenants",
        .key = "handle_wait",
        .rule = DurationRule{0s, 1min},
        .field = [](Settings& s) -> Field { return &s.tenants.handle_wait; },
        .help = "How long a job waits for a tenant handle while all are in use; then HandleBudgetExhausted,\n"
                "which costs no attempt.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "tenants",
        .key = "undo_window",
        .rule = DurationRule{0s, std::chrono::hours{366 * 24}},
        .field = [](Settings& s) -> Field { return &s.tenants.undo_window; },
        .help =
            "How long a deleted tenant can be taken back: so long its database lies in .graveyard beside\n"
            "the tenants' folders, and its jobs stay. Then both are erased.",
        .taken_over = TakenOver::by_reload},
    Setting<Settings>{.section = "http",
                      .key = "probe_listen",
                      .rule = kListenRule,
                      .field = [](Settings& s) -> Field { return &s.http.probe_listen; },
                      .help = "Where tenured answers /health/live, /health/ready, /health/started and "
                              "/metrics, to everybody who\n"
                              "reaches it. Empty: nowhere. Under systemd: unix:/run/tenure/probe.sock."},
    Setting<Settings>{
        .section = "http",
        .key = "allow_remote",
        .rule = BooleanRule{},
        .field = [](Settings& s) -> Field { return &s.http.allow_remote; },
        .help =
            "Whether an address that other machines reach may be listened on. There is neither password nor\n"
            "encryption."},
    Setting<Settings>{
        .section = "http",
        .key = "top_tenants",
        .rule = IntegerRule{0, 50},
        .field = [](Settings& s) -> Field { return &s.http.top_tenants; },
        .help = "So many tenants are named in /metrics, by slot time and chosen anew each minute."},
    Setting<Settings>{.section = "http",
                      .key = "connections_max",
                      .rule = IntegerRule{4, 1024},
                      .field = [](Settings& s) -> Field { return &s.http.connections_max; },
                      .help = "So many connections are open at once; for one more the one that has been "
                              "longest at its request\n"
                              "is closed."},
    Setting<Settings>{.section = "log",
                      .key = "level",
                      .rule = ChoiceRule{kLevels},
                      .field = [](Settings& s) -> Field { return choice_field(s.log.level); },
                      .help = "The least important lines that are written. debug: a line for each job.",
                      .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{.section = "log",
                      .key = "format",
                      .rule = ChoiceRule{kFormats},
                      .field = [](Settings& s) -> Field { return choice_field(s.log.format); },
                      .help = "auto: text on a terminal, else json.",
                      .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{.section = "log",
                      .key = "file",
                      .rule = PathRule{.may_be_empty = true},
                      .field = [](Settings& s) -> Field { return &s.log.file; },
                      .help = "Empty: standard error, for the journal.",
                      .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "security",
        .key = "seal_key",
        .rule = kKeyPlaceRule,
        .field = [](Settings& s) -> Field { return &s.security.seal_key; },
        .help =
            "The key that seals envelopes: 64 to 128 hexadecimal digits, as openssl rand -hex 32 prints. "
            "From the\n"
            "tenured that starts with it on, jobs without its seal are refused, at their enqueue and before\n"
            "their handler. The same for whoever enqueues. credential: as LoadCredential= of the unit names "
            "it.",
        .may_be_secret = true},
    Setting<Settings>{.section = "security",
                      .key = "seal_key_previous",
                      .rule = kKeyPlaceRule,
                      .field = [](Settings& s) -> Field { return &s.security.seal_key_previous; },
                      .help = "The key before it, while keys are exchanged: its seals are accepted, and none "
                              "is made. With an empty\n"
                              "seal_key sealing ends.",
                      .may_be_secret = true},
    Setting<Settings>{
        .section = "security",
        .key = "mask",
        .rule = TextListRule{.element = kMaskRule, .count_max = kMaskPatternsMax, .count_min = 0},
        .field = [](Settings& s) -> Field { return &s.security.mask; },
        .help = "Members of arguments whose values nobody is shown, whatever their depth, besides those "
                "whose names\n"
                "contain password, token or secret; in capitals or not. Errors and progress that quote such "
                "a value\n"
                "are masked too. Say the same where jobs are enqueued, performed and looked at.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "replay",
        .key = "folder",
        .rule = PathRule{.may_be_empty = false, .word = kAutomaticFolder},
        .field = [](Settings& s) -> Field { return &s.replay.folder; },
        .help =
            "Where worker processes put capsules, which operators ask for by tenure replay capture. auto: "
            "capsules\n"
            "beside the control database. Its parent must be there; nobody but the daemon's user may read "
            "it.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{
        .section = "replay",
        .key = "capsule_max",
        .rule = SizeRule{kCapsuleMin, kCapsuleMax},
        .field = [](Settings& s) -> Field { return &s.replay.capsule_max; },
        .help = "A capsule that would be larger is not made; it holds its tenant's whole database.",
        .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{.section = "replay",
                      .key = "folder_max",
                      .rule = SizeRule{kCapsuleMin, kCapsuleFolderMax},
                      .field = [](Settings& s) -> Field { return &s.replay.folder_max; },
                      .help =
                          "Nor one with which all capsules of the folder together would be. Old ones are not "
                          "deleted.",
                      .taken_over = TakenOver::by_new_workers},
    Setting<Settings>{.section = "retention",
                      .key = "succeeded",
                      .rule = kRetentionRule,
                      .field = [](Settings& s) -> Field { return &s.retention.succeeded; },
                      .help = "How long a job is kept that has succeeded, from its end; one that needed more "
                              "than an hour for it\n"
                              "at least 7 days.",
                      .taken_over = TakenOver::by_reload},
    Setting<Settings>{.section = "retention",
                      .key = "dead",
                      .rule = kRetentionRule,
                      .field = [](Settings& s) -> Field { return &s.retention.dead; },
                      .help = "The same of one that is dead.",
                      .taken_over = TakenOver::by_reload},
    Setting<Settings>{
        .section = "retention",
        .key = "dead_max",
        .rule = IntegerRule{1, 10'000'000},
        .field = [](Settings& s) -> Field { return &s.retention.dead_max; },
        .help = "So many dead jobs are kept at most; the oldest go first, an hour old at least.",
        .taken_over = TakenOver::by_reload},
    Setting<Settings>{.section = "retention",
                      .key = "discarded",
                      .rule = kRetentionRule,
                      .field = [](Settings& s) -> Field { return &s.retention.discarded; },
                      .help = "How long a job is kept that was discarded.",
                      .taken_over = TakenOver::by_reload},
    Setting<Settings>{.section = "retention",
                      .key = "cancelled",
                      .rule = kRetentionRule,
                      .field = [](Settings& s) -> Field { return &s.retention.cancelled; },
                      .help = "The same of one that was cancelled.",
                      .taken_over = TakenOver::by_reload},
};

template <class Owner>
SettingInfo info_of(const Setting<Owner>& setting, bool has_environment) {
  return {.key = std::string(setting.section) + '.' + std::string(setting.key),
          .type = type_text(setting.rule),
          .default_value = setting.required ? "" : value_in(setting, Owner{}),
          .limits = limits_text(setting.rule),
          .help = std::string(setting.help),
          .environment = has_environment ? environment_name(setting.section, setting.key) : "",
          .taken_over = setting.taken_over};
}

}  // namespace

std::string_view text_of(TakenOver taken_over) {
  switch (taken_over) {
    case TakenOver::by_reload:
      return "by a reload";
    case TakenOver::by_new_workers:
      return "by a reload, which replaces worker processes";
    case TakenOver::at_start:
      break;
  }
  return "at the next start";
}

std::span<const Setting<Settings>> plain_settings() { return kPlainSettings; }

std::string environment_name(std::string_view section, std::string_view key) {
  std::string name = "TENURE_" + std::string(section) + '_' + std::string(key);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::vector<SettingInfo> all_settings() {
  std::vector<SettingInfo> infos;
  bool pools_done = false;
  for (const auto& setting : kPlainSettings) {
    if (setting.section == kSectionAfterPools && !pools_done) {
      for (const auto& pool : pool_settings()) infos.push_back(info_of(pool, false));
      for (const auto& schedule : schedule_settings()) infos.push_back(info_of(schedule, false));
      for (const auto& limit : limit_settings()) infos.push_back(info_of(limit, false));
      pools_done = true;
    }
    infos.push_back(info_of(setting, true));
  }
  return infos;
}

std::optional<SettingInfo> find_setting(std::string_view key) {
  for (SettingInfo& info : all_settings())
    if (info.key == key) return std::move(info);
  return std::nullopt;
}

std::optional<std::string> nearest_setting(std::string_view key) {
  const std::vector<SettingInfo> infos = all_settings();
  const auto last_part = [](std::string_view full) { return full.substr(full.find('.') + 1); };
  for (const SettingInfo& info : infos)  // the right word in the wrong section
    if (info.key != key && last_part(info.key) == last_part(key)) return info.key;
  std::vector<std::string_view> same_section;
  std::vector<std::string_view> all;
  for (const SettingInfo& info : infos) {
    const std::size_t dot = info.key.find('.');
    if (key.starts_with(std::string_view(info.key).substr(0, dot + 1)))
      same_section.push_back(last_part(info.key));
    all.emplace_back(info.key);
  }
  if (const auto near = nearest(last_part(key), same_section))
    return std::string(key.substr(0, key.find('.') + 1)) + std::string(*near);
  if (const auto near = nearest(key, all)) return std::string(*near);
  return std::nullopt;
}

}  // namespace tenure::config
