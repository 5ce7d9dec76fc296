#include "worker_program.hpp"

#include <tenure/base/file_kind.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::cli {

std::filesystem::path worker_program_of(const Session& session) {
  if (!session.has("program"))
    raise(ErrorCode::bad_options, "--program FILE is missing: the worker program that performs the job");
  if (session.option("program").empty()) raise(ErrorCode::bad_options, "--program wants a file");
  std::filesystem::path program = std::filesystem::absolute(session.option("program"));
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) refuse_worker_program(program, system_text(errno));
  if (!S_ISREG(status.st_mode))
    refuse_worker_program(program, "is " + kind_of_file_at(program) + " and no program");
  if (::access(program.c_str(), X_OK) != 0)
    refuse_worker_program(program, "may not be executed by this user");
  return program;
}

void refuse_worker_program(const std::filesystem::path& program, std::string_view why) {
  raise(ErrorCode::bad_options, fmt::format("--program {}: {}", escaped(program.string()), why));
}

void write_scratch_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file);
  out << text;
  if (!out.flush()) raise(ErrorCode::disk, "cannot be written", {}, file.string());
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace tenure::cli
