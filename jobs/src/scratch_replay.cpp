#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/jobs/scratch_replay.hpp>
#include <tenure/tenancy/tenant_files.hpp>

namespace tenure {

replay::RunRecord replay_in_scratch(const JobRegistry& jobs, const std::filesystem::path& file,
                                    const replay::Capsule& capsule, const std::filesystem::path& scratch,
                                    const ReplayOptions& options) {
  const auto turn =
      sqlite::Confinement::turn();  // else the capsule would lie outside of another replay's folder
  const std::filesystem::path folder = std::filesystem::canonical(scratch);
  const TenantFiles files((folder / "%{tenant}.db").string());
  replay::restore_tenant(file, files);
  HandleCache handles(files, {.application = capsule.head.application});
  const sqlite::Confinement confined(folder);
  return replay_run(jobs, handles, capsule, options);
}

}  // namespace tenure
