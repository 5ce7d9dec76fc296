#include "listing.hpp"
#include "nouns.hpp"
#include "progress.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace tenure::cli {
namespace {

// The answer is no, and nothing is wrong with this machine.
void refuse_bad_target(const std::filesystem::path& target) {
  std::error_code ignored;
  const std::string folder = target.parent_path().string();
  if (!std::filesystem::is_directory(folder, ignored))
    throw Refused{"FolderMissing",
                  fmt::format("there is no folder {} for the copy; make it", escaped(folder, 4096))};
  if (std::filesystem::symlink_status(target, ignored).type() != std::filesystem::file_type::not_found)
    throw Refused{"FileExists",
                  fmt::format("{} is there already, and nothing is overwritten; name another file",
                              escaped(target.string(), 4096))};
}

}  // namespace

ExitCode store_backup(Session& session) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::absolute(session.words().front(), error);
  if (error)
    raise(ErrorCode::disk,
          "the file is named from the working folder on, which cannot be told: " + error.message());
  refuse_bad_target(target);
  MadeCopy copy;
  {
    Progress progress(session, bytes_text);
    copy = session.back_up(
        target, [&](const queue::CopyProgress& so_far) { progress.show(so_far.bytes_done, so_far.bytes); });
  }
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.store.backup/1").key("item").begin_object();
    write_text(writer, "path", target.string());
    writer.key("size_bytes").integer(copy.bytes).key("recorded").boolean(copy.unrecorded.empty());
    writer.end_object().end_object();
    session.print_json(out);
  } else {
    session.print(fmt::format("copied to {}, {}\n", escaped(target.string(), 4096),
                              bytes_text(copy.bytes, session.style())));
  }
  if (!copy.unrecorded.empty())
    session.note("tenure: warning: the copy is whole, but no audit record says that it is complete: " +
                 escaped(copy.unrecorded, 1024));
  return ExitCode::done;
}

}  // namespace tenure::cli
