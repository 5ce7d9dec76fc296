#include <tenure/base/text.hpp>
#include <tenure/replay/place_of_tenant.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace tenure::replay {
namespace {

constexpr std::string_view kPlace = "the tenant's database";

void forget_in(std::string& text, std::string_view path) {
  if (path.empty()) return;
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + kPlace.size()))
    text.replace(at, path.size(), kPlace);
}

}  // namespace

void forget_place(RunRecord& run, const std::filesystem::path& database) {
  // As messages have it: their quotes are escaped.
  for (const std::string& path :
       {database.string(), escaped(database.string(), database.native().size() * 4)}) {
    if (run.failure) forget_in(run.failure->error, path);
    for (RecordedCall& call : run.calls) {
      if (!call.failure) continue;
      forget_in(call.failure->message, path);
      forget_in(call.failure->where, path);
    }
  }
}

}  // namespace tenure::replay
