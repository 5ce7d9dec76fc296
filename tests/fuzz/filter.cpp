// The filter language; each line of the input is a term. It is a filter within its limits or BadFilter with a message that can
// be shown, and a term matches a job exactly where its negation does not. There is no writer.

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

void check_refusal(const Failure& failure) {
  require(failure.code == ErrorCode::bad_filter, "a refusal is BadFilter");
  require(escaped(failure.message, failure.message.size()) == failure.message, "a refusal can be shown");
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

void check_negation(FilterTerm term, const queue::JobRecord& job) {
  const bool found = queue::matches({{term}}, job, kNow);
  term.negated = !term.negated;
  require(queue::matches({{term}}, job, kNow) != found, "a term or its negation matches");
}

void check(std::span<const std::string> words) {
  const auto of_jobs = queue::parse_filter(words, queue::job_filter_fields(), kNow);
  if (of_jobs) {
    accepted();
    check_limits(*of_jobs, words);
    static_cast<void>(queue::looks_at_succeeded(*of_jobs));
    const auto job = some_job();
    for (const FilterTerm& term : of_jobs->terms) check_negation(term, job);
  } else {
    check_refusal(of_jobs.error());
  }
  const auto of_names = queue::parse_filter(words, queue::name_filter_fields(), kNow);
  if (of_names) {
    check_limits(*of_names, words);
    static_cast<void>(queue::matches_name(*of_names, "acme", "active"));
  } else {
    check_refusal(of_names.error());
  }
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 64};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words;
  for (const std::string_view line : tenure::fuzz::lines_of(tenure::fuzz::text_of(data, size)))
    words.emplace_back(line);
  tenure::fuzz::check(words);
  return 0;
}
