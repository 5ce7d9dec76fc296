#include "file_program.hpp"

#include <tenure/base/log.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/tenancy/global_id.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

// One job, by whichever of its names it is asked for.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

struct BuildReport {
  static constexpr std::string_view kind = "report.build";
};

class JobGlobalIds : public FileProgram {
 protected:
  JobGlobalIds() {
    EXPECT_EQ(run({"tenant", "create", "acme"}), 0) << output.error;
    add_tenant("bolt");
    log::capture_for_test(&lines_);
    jobs_.add<BuildReport>([this](const BuildReport&, JobContext& context) {
      context.log(log::Level::info, "building");
      keys_.push_back(context.idempotency_key());
    });
  }
  ~JobGlobalIds() override { log::capture_for_test(nullptr); }
  JobGlobalIds(const JobGlobalIds&) = delete;
  JobGlobalIds& operator=(const JobGlobalIds&) = delete;

  // As the handler of the run tells it.
  std::string key_in_run(const queue::ClaimedJob& job, int attempt) {
    log::configure({});  // whoever ran a command may have silenced it
    queue::RunNotes notes{{job.seq, job.token}};
    const auto end = performer_.perform({.claim = {job.seq, job.token},
                                         .id = job.id,
                                         .tenant = job.tenant,
                                         .generation = job.generation,
                                         .kind = job.kind,
                                         .envelope = job.envelope,
                                         .attempt = attempt,
                                         .attempts_max = 3},
                                        {}, notes);
    EXPECT_EQ(end.result, queue::RunResult::succeeded) << end.failure.error;
    return keys_.back();
  }
  // As the fields of the last line of the log put it together.
  std::string key_in_log() {
    const std::string& line = lines_.back();
    const auto field = [&](std::string_view name) {
      const auto at = line.find(fmt::format(" {}=", name));
      if (at == std::string::npos) return std::string{};
      const auto begin = at + name.size() + 2;
      return line.substr(begin, line.find(' ', begin) - begin);
    };
    const std::string tenant = field("tenant");
    return GlobalId("billing", "tenure.job", field("job"),
                    tenant.empty() ? std::nullopt : std::optional{TenantName{tenant}})
        .text();
  }
  std::string answer_to(const std::vector<std::string>& words) {
    const int code = run(words);
    return std::to_string(code) + '\n' + output.out + '\n' + output.error;
  }

  std::vector<std::string> lines_;
  std::vector<std::string> keys_;
  JobRegistry jobs_;
  HandleCache handles_{TenantFiles{(folder / "tenants/%{tenant}.db").string()}, {.application = "billing"}};
  Performer performer_{jobs_, handles_, clock, {.application = "billing"}};
};

TEST_F(JobGlobalIds, GID_14_HandlerLogAndCommandLineNameAJobAlike) {
  add_job(7, "acme", "report.build");
  add_job(8, "none", "report.build");
  const std::string id = job_id(7).text();
  const std::string gid = "gid://billing/tenure.job/" + id + "?tenant=acme";
  const std::string untenanted = "gid://billing/tenure.job/" + job_id(8).text();
  const queue::ClaimedJob job = claim(7);
  EXPECT_EQ(key_in_run(job, 1), gid);
  EXPECT_EQ(key_in_log(), gid);
  EXPECT_EQ(key_in_run(job, 2), gid) << "over all attempts";
  EXPECT_EQ(key_in_run(claim(8), 1), untenanted);
  EXPECT_EQ(key_in_log(), untenanted);

  EXPECT_EQ(run({"job", "show", id}), 0);
  EXPECT_THAT(output.out, HasSubstr("id         " + gid + "\n"));
  EXPECT_EQ(run({"job", "show", id, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"global_id\":\"" + gid + "\""));
  EXPECT_EQ(run({"job", "show", job_id(8).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("id         " + untenanted + "\n"));

  // Whoever was given the one finds the job by it.
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"job", "show"},
                                             {"job", "why"},
                                             {"why"},
                                             {"job", "discard", "--dry-run"},
                                             {"job", "change", "--priority", "5", "--dry-run"}}) {
    std::vector<std::string> by_id = words;
    by_id.push_back(id);
    std::vector<std::string> by_gid = words;
    by_gid.push_back(gid);
    EXPECT_EQ(answer_to(by_gid), answer_to(by_id)) << words[0];
  }
  EXPECT_EQ(run({"job", "show", untenanted}), 0) << output.error;
}

TEST_F(JobGlobalIds, OneThatIsNotTheJobsFindsNothing) {
  add_job(7, "acme", "report.build");
  const std::string id = job_id(7).text();
  for (const std::string& other :
       {"gid://billing/tenure.job/" + id + "?tenant=bolt", "gid://billing/tenure.job/" + id,
        "gid://books/tenure.job/" + id + "?tenant=acme",
        "gid://billing/tenure.job/" + job_id(9).text() + "?tenant=acme"})
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"job", "show", other}, {"why", other}, {"job", "cancel", other}}) {
      EXPECT_EQ(run(words), 1) << other;
      EXPECT_THAT(output.error, HasSubstr("JobNotFound")) << other;
    }
  EXPECT_EQ(job(7).state, queue::ShownState::ready);
  EXPECT_EQ(run({"job", "show", "gid://billing/Invoice/" + id + "?tenant=acme"}), 2);
  EXPECT_EQ(run({"job", "show", "gid://billing/tenure.job/" + id + "?tenant="}), 2);
}

}  // namespace
}  // namespace tenure::cli
