#include "enqueue_lines.hpp"
#include "input.hpp"
#include "job_drafts.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/queue/mask.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

std::string enqueued_json(const queue::NewJob& job, const queue::Enqueued& there, bool kind_is_known) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.enqueue/1").key("id").string(there.id.text());
  writer.key("existed").boolean(there.existed).key("tenant");
  if (job.tenant) writer.string(job.tenant->text());
  else writer.null();
  writer.key("queue").string(job.queue).key("kind").string(job.kind);
  writer.key("kind_is_known").boolean(kind_is_known).end_object();
  return out;
}

}  // namespace

ExitCode job_enqueue(Session& session) {
  if (session.has("lines")) return enqueue_lines(session);
  const auto words = session.words();
  if (words.empty())
    raise(ErrorCode::bad_options,
          "tenure job enqueue needs KIND, or --lines; for example: tenure job enqueue billing.close "
          "'{\"month\":7}' --tenant acme");
  const JobSpec spec = spec_of_options(session);
  JobDrafts drafts(session);
  const std::string text = words.size() > 1 ? text_of_word(session, words[1], limits::kPayloadMax) : "{}";
  queue::Draft draft = drafts.draft(spec, [&](PayloadContext& context) {
    try {
      return queue::canonical_arguments(text, context, kLimitsOfStored);
    } catch (const Error& error) {  // which may quote a secret
      raise(queue::Secrets(session.mask(), text).hidden_in(error.failure()));
    }
  });
  std::optional<Result<queue::Enqueued>> result;
  session.change([&](queue::StoreWriter& writer) {
    result = queue::enqueue(writer, draft, session.environment().clock);
    const bool is_new = *result && !(*result)->existed;
    return is_new ? Changed{1, (*result)->id.text()} : Changed{};
  });
  const queue::Enqueued there = value_or_raise(*std::move(result));
  session.wake();
  const bool kind_is_known = drafts.is_known(spec.kind);
  if (session.json()) {
    session.print_json(enqueued_json(draft.job, there, kind_is_known));
  } else {
    session.print(there.id.text() + '\n');
    if (there.existed)
      session.note(there.id == draft.job.id ? "it was there already" : "that job has the unique key already");
  }
  return ExitCode::done;
}

}  // namespace tenure::cli
