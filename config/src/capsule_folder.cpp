#include <tenure/config/capsule_folder.hpp>

namespace tenure::config {

std::filesystem::path capsule_folder(const Settings& settings) {
  if (settings.replay.folder != kAutomaticFolder) return settings.replay.folder;
  return settings.store.path.parent_path() / "capsules";
}

}  // namespace tenure::config
