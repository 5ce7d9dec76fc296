#include "commands.hpp"

#include "commands/noun_commands.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::array kNouns{
    Noun{"job", "look at jobs, enqueue, retry, run, change, cancel or delete them", job_commands},
    Noun{"tenant", "list, create, pause and delete tenants, and what leaves them", tenant_commands},
    Noun{"queue", "how full each queue is, and clearing one", queue_commands},
    Noun{"kind", "how many jobs of each kind there are", kind_commands},
    Noun{"worker", "the worker processes of the daemon that runs", worker_commands},
    Noun{"schedule", "recurring jobs: when they are due, and what became of them", schedule_commands},
    Noun{"batch", "jobs that belong together, and what is done when they have ended", batch_commands},
    Noun{"fan-out", "one job for each tenant, and how far it has come", fan_out_commands},
    Noun{"limit", "how many run at a time and start in a time, and who holds them", limit_commands},
    Noun{"store", "the control database", store_commands},
    Noun{"replay", "runs and decisions that were kept, and what they give once more", replay_commands},
    Noun{"config", "the configuration file and what is in force", config_commands},
};

constexpr std::array kShorthands{
    Shorthand{"why", "job", "why"},
    Shorthand{"doctor", "store", "doctor"},
    Shorthand{"top", "worker", "top"},
};

std::vector<Verb> all_verbs() {
  std::vector<Verb> all;
  for (const Noun& noun : kNouns) {
    const std::span<const Verb> own = noun.verbs();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

template <class Entries>
std::vector<std::string_view> names_of(const Entries& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace

std::span<const Noun> nouns() { return kNouns; }

std::span<const Verb> verbs() {
  static const std::vector<Verb> all = all_verbs();
  return all;
}

std::span<const Shorthand> shorthands() { return kShorthands; }

bool takes(const Verb& verb, std::string_view option) {
  return is_global(option) ||
         fmt::format(" {} ", verb.options).find(fmt::format(" {} ", option)) != std::string::npos;
}

bool changes_something(const Verb& verb, const CommandLine& line) {
  return verb.effect == Effect::changes ||
         (verb.effect == Effect::mends && (line.has("fix") || line.has("rebuild-registry"))) ||
         (verb.effect == Effect::gives_up && line.has("pass-over")) ||
         (verb.effect == Effect::reconciles &&
          (line.has("restamp") || line.has("rerun") || line.has("cancel"))) ||
         (verb.effect == Effect::reveals && line.has("reveal"));
}

bool needs_keys(const Verb& verb) {
  return verb.run == job_enqueue || verb.run == job_copy || verb.run == job_retry ||
         verb.run == schedule_run || verb.run == fan_out_start || verb.run == tenant_outbox ||
         verb.run == tenant_reconcile || verb.run == tenant_restore || verb.run == tenant_delete ||
         verb.run == batch_retry;
}

bool can_look_at_copies(const Verb& verb) {
  return verb.noun != "config" && verb.noun != "worker" && verb.run != job_tail &&
         verb.run != tenant_outbox && verb.run != tenant_check && verb.run != replay_show &&
         verb.run != replay_journal && verb.run != replay_run;
}

void write_out(std::vector<std::string>& words) {
  if (words.empty()) return;
  const auto* const found = std::ranges::find(kShorthands, words.front(), &Shorthand::word);
  if (found == kShorthands.end()) return;
  words.front() = found->noun;
  words.insert(words.begin() + 1, std::string(found->verb));
}

const Noun& find_noun(std::string_view word) {
  const auto* const found =
      std::find_if(kNouns.begin(), kNouns.end(), [&](const Noun& noun) { return noun.name == word; });
  if (found != kNouns.end()) return *found;
  std::vector<std::string_view> names = names_of(kNouns);
  for (const Shorthand& each : kShorthands) names.push_back(each.word);
  const auto near = nearest(word, names);
  raise(ErrorCode::bad_options,
        fmt::format("unknown noun '{}'; {}", escaped(word, 64),
                    near ? fmt::format("did you mean {}?", *near) : "see tenure --help"));
}

const Verb& find_verb(const Noun& noun, std::string_view word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : noun.verbs()) {
    if (verb.name == word) return verb;
    names.push_back(verb.name);
  }
  const auto near = nearest(word, names);
  raise(ErrorCode::bad_options, fmt::format("unknown verb '{}' of {}; {}", escaped(word, 64), noun.name,
                                            near ? fmt::format("did you mean {}?", *near)
                                                 : fmt::format("see tenure {} --help", noun.name)));
}

}  // namespace tenure::cli
