// The filter language; each line of the input is a term. It is a filter within its limits or BadFilter with a message that can
// be shown, and a term matches a job, a queue or a tenant exactly where its negation does not. There is no writer.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>

#include <string>

namespace tenure::fuzz {
namespace {

using queue::Filter;
using queue::FilterField;
using queue::FilterTerm;

const WallTime kNow = from_us(1'772'446'440'000'000);

queue::JobRecord some_job() {
  queue::JobRecord job;
  job.id = queue::JobId{*Uuid::parse("019cadff-0000-7000-8000-000000000001")};
  job.tenant = TenantName{"acme"};
  job.generation = Generation{3};
  job.queue = "default";
  job.kind = "billing.send_invoice";
  job.created = job.due = kNow;
  job.error = "HandlerFailed: no answer from mx.z\xC3\xBCrich.example";
  return job;
}

void check_limits(const Filter& filter, std::span<const std::string> words) {
  require(filter.terms.size() == words.size() && words.size() <= queue::kFilterTermsMax,
          "every word is a term");
  std::size_t values = 0;
  for (const FilterTerm& term : filter.terms) {
    require(!term.values.empty(), "a term has a value");
    values += term.values.size();
  }
  require(values <= queue::kFilterValuesMax, "a filter has at most so many values");
}

// Whether the words are a filter of such records.
template <class Record>
bool check(std::span<const std::string> words, std::span<const FilterField> fields, const Record& record) {
  const auto filter = queue::parse_filter(words, fields, kNow);
  if (!filter) {
    check_refusal(filter.error(), ErrorCode::bad_filter);
    return false;
  }
  check_limits(*filter, words);
  for (FilterTerm term : filter->terms) {
    const bool found = queue::matches(Filter{{term}}, record, kNow);
    term.negated = !term.negated;
    require(queue::matches(Filter{{term}}, record, kNow) != found, "a term or its negation matches");
  }
  return true;
}

queue::QueueRecord some_queue() {
  queue::QueueRecord queue;
  queue.name = "default";
  queue.ready = 3;
  queue.oldest_ready = kNow;
  return queue;
}

queue::TenantSummary some_tenant() {
  return {.tenant = {.number = TenantNumber{1},
                     .name = TenantName{"acme"},
                     .generation = Generation{3},
                     .state = TenantState::active,
                     .created = kNow}};
}

void check_all(std::span<const std::string> words) {
  const bool of_jobs = check(words, queue::job_filter_fields(), some_job());
  if (of_jobs)
    static_cast<void>(
        queue::looks_at_succeeded(*queue::parse_filter(words, queue::job_filter_fields(), kNow)));
  const bool of_queues = check(words, queue::queue_filter_fields(), some_queue());
  const bool of_tenants = check(words, queue::tenant_filter_fields(), some_tenant());
  if (of_jobs || of_queues || of_tenants) accepted();
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 64};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words;
  for (const std::string_view line : tenure::fuzz::lines_of(tenure::fuzz::text_of(data, size)))
    words.emplace_back(line);
  tenure::fuzz::check_all(words);
  return 0;
}
