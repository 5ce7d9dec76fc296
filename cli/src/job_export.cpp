#include "job.hpp"
#include "nouns.hpp"

#include <fmt/format.h>

#include <limits>

// All jobs that match, as a stream of JSON lines.
namespace tenure::cli {
namespace {

// Of one snapshot, and of what is kept in memory. Where a filter names states each page gathers what is left, so pages are large.
constexpr std::size_t kExportPage = 10'000;

std::string exported_line(const queue::JobRecord& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.export/1").key("cursor").string(cursor_of(job.seq));
  write_job_members(writer, job);
  writer.end_object();
  return out;
}

}  // namespace

ExitCode job_export(Session& session) {
  const queue::Filter filter = session.filter(queue::job_filter_fields());
  queue::ListOptions options{
      .limit = kExportPage,
      .after = std::nullopt,
      .order = queue::ListOrder::oldest_first,
      .looks_max = session.has("scan") ? looks_max(session) : std::numeric_limits<std::int64_t>::max()};
  if (session.has("after")) options.after = parse_cursor(session.option("after"));
  std::int64_t exported = 0;
  for (bool is_last = false; !is_last;) {
    queue::JobPage page;
    session.readable_store().read(
        [&](queue::JobReader& reader) { page = reader.list_jobs(filter, options, session.now()); });
    for (const queue::JobRecord& job : page.jobs) session.print_json(exported_line(job));
    exported += std::ssize(page.jobs);
    is_last = page.jobs.size() < options.limit;
    if (!page.jobs.empty()) options.after = page.jobs.back().seq;
    if (is_last && page.left_out)
      note_scan(session, {.count = exported, .capped = false, .next = {}, .looked_at = options.looks_max});
  }
  session.note(fmt::format("exported {}", counted(exported, "job", session.style())));
  return ExitCode::done;
}

}  // namespace tenure::cli
