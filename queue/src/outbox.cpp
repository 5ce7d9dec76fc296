#include "canonical_number.hpp"
#include "job_rules.hpp"
#include "outbox_keys.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::string_view kRowMark = "tenure-outbox/";
// A row of a job without keys is of version 1, so that programs which know no other one take it.
constexpr std::int64_t kRowVersion = 1;
constexpr std::int64_t kRowVersionWithKeys = 2;
constexpr std::int64_t kRowVersionWithBatch = 3;
constexpr std::size_t kRowWords = 5;  // and a sixth where it must start before some time
// Mark, queue, four numbers of 20 digits, with room; and the keys.
constexpr std::size_t kRowLineMax = 32 + limits::kQueueNameMax + 4 * 20 + kRowWords + 1 + kKeysTextMax;

tl::unexpected<Failure> bad_row(std::string_view reason, std::string_view what) {
  return fail(ErrorCode::bad_payload, fmt::format("{}: {}", reason, what));
}

struct RowWords {
  std::array<std::string_view, kRowWords + 1> words;
  std::size_t count = 0;
};

std::int64_t row_version_of(const NewJob& job) {
  if (job.batch) return kRowVersionWithBatch;
  return has_keys(job) ? kRowVersionWithKeys : kRowVersion;
}

std::optional<RowWords> words_of(std::string_view line) {
  RowWords row;
  for (;;) {
    if (row.count == row.words.size()) return std::nullopt;
    const std::size_t space = line.find(' ');
    row.words[row.count++] = line.substr(0, space);
    if (space == std::string_view::npos) break;
    line.remove_prefix(space + 1);
  }
  return row.count < kRowWords ? std::nullopt : std::optional{row};
}

// A newer row may have any form behind its version.
Result<std::int64_t> row_version(std::string_view text) {
  if (!text.starts_with(kRowMark))
    return bad_row("NotAnOutboxRow", fmt::format("it does not begin with {}", kRowMark));
  const std::string_view rest = text.substr(kRowMark.size(), 20);
  const auto version = canonical_number(rest.substr(0, rest.find_first_of(" \n")));
  if (!version || *version < 1) return bad_row("NotAnOutboxRow", "it names no version");
  if (*version > kRowVersionWithBatch)
    return fail(ErrorCode::newer_envelope,
                fmt::format("the row of the outbox has version {}; this program reads up to {}", *version,
                            kRowVersionWithBatch));
  return *version;
}

// The keys stand behind the words, an object with blanks of its own.
std::string_view cut_keys(std::string_view& line) {
  const std::size_t end = line.find(" {");
  if (end == std::string_view::npos) return {};
  const std::string_view keys = line.substr(end + 1);
  line = line.substr(0, end);
  return keys;
}

Result<NewJob> read_row_line(std::string_view line, std::int64_t version) {
  const std::string_view keys = version >= kRowVersionWithKeys ? cut_keys(line) : std::string_view{};
  if (version >= kRowVersionWithKeys && line.ends_with(' '))
    return bad_row("NotAnOutboxRow", "more than one blank stands before its keys");
  const auto row = words_of(line);
  if (!row) return bad_row("NotAnOutboxRow", "its first line has neither five words nor six");
  const auto& words = row->words;
  const auto priority = canonical_number(words[2]);
  const auto due = canonical_number(words[3]);
  const auto attempts = canonical_number(words[4]);
  const auto start_before = row->count > kRowWords ? canonical_number(words[5]) : std::nullopt;
  constexpr auto kIntMax = std::numeric_limits<int>::max();
  if (!priority || !due || !attempts || *priority < -kIntMax || *priority > kIntMax || *attempts < 0 ||
      *attempts > kIntMax)
    return bad_row("OutOfRange", "priority, due time or attempts are no number of ours");
  if (row->count > kRowWords && !start_before)
    return bad_row("OutOfRange", "the time before which it must start is no number of ours");
  NewJob job{};
  job.queue = words[1];
  job.priority = Priority{static_cast<int>(*priority)};
  job.due = from_us(*due);
  job.attempts_max = static_cast<int>(*attempts);
  if (start_before) job.start_before = from_us(*start_before);
  if (version >= kRowVersionWithKeys)
    if (auto read = read_keys(keys, job); !read) return tl::unexpected(std::move(read.error()));
  if (job.batch.has_value() != (version == kRowVersionWithBatch))
    return bad_row("NotAnOutboxRow", "its batch does not go with its version");
  return job;
}

Result<void> check_owner(const Envelope& envelope, const OutboxOwner& owner) {
  if (envelope.tenant != owner.tenant)
    return fail(ErrorCode::wrong_tenant,
                fmt::format("the row's envelope belongs to {}, its file to {}",
                            envelope.tenant ? envelope.tenant->text() : "no tenant", owner.tenant.text()),
                owner.tenant.text(), "envelope");
  if (envelope.generation != owner.generation)
    return fail(ErrorCode::stale_generation,
                fmt::format("the row's envelope is of generation {}, its file of {}",
                            envelope.generation.value, owner.generation.value),
                owner.tenant.text(), "envelope");
  return {};
}

}  // namespace

std::string write_outbox_row(const NewJob& job, const KeyRing& keys) {
  std::string text = fmt::format("{}{} {} {} {} {}", kRowMark, row_version_of(job), job.queue,
                                 job.priority.value, to_us(job.due), job.attempts_max);
  if (job.start_before) text += fmt::format(" {}", to_us(*job.start_before));
  if (has_keys(job)) text += ' ' + keys_text(job);
  text += '\n';
  return text += write_envelope(envelope_of(job, job.generation, keys));
}

Result<std::string> make_outbox_row(const NewJob& job, std::size_t payload_max, const KeyRing& keys) {
  if (!job.tenant)
    return fail(
        ErrorCode::missing_tenant,
        "an untenanted job cannot be enqueued in a tenant's transaction: it is enqueued by the client");
  if (auto options = check_new_job(job); !options) return tl::unexpected(std::move(options.error()));
  const Envelope envelope = envelope_of(job, job.generation, {});
  if (auto size = check_payload_size(envelope, write_envelope(envelope).size(), payload_max); !size)
    return tl::unexpected(std::move(size.error()));
  return write_outbox_row(job, keys);
}

bool says_same_job(std::string_view row, const NewJob& job) {
  const auto read = read_outbox_row(row, {job.tenant.value(), job.generation}, {});
  return read && read->id == job.id && read->queue == job.queue && read->priority == job.priority &&
         read->kind == job.kind && read->arguments == job.arguments;
}

Result<NewJob> read_outbox_row(std::string_view text, const OutboxOwner& owner, const KeyRing& keys) {
  const auto version = row_version(text);
  if (!version) return tl::unexpected(version.error());
  const std::size_t end = text.substr(0, kRowLineMax).find('\n');
  if (end == std::string_view::npos) return bad_row("NotAnOutboxRow", "its first line has no end");
  auto job = read_row_line(text.substr(0, end), *version);
  if (!job) return job;
  auto envelope = read_envelope(text.substr(end + 1));
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  if (auto own = check_owner(*envelope, owner); !own) return tl::unexpected(std::move(own.error()));
  if (auto seal = check_seal(*envelope, keys); !seal) return tl::unexpected(std::move(seal.error()));
  job->id = envelope->id;
  job->tenant = std::move(envelope->tenant);
  job->generation = envelope->generation;
  job->kind = std::move(envelope->kind);
  job->arguments = std::move(envelope->arguments);
  return job;
}

}  // namespace tenure::queue
