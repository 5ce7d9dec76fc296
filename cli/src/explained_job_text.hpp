#pragma once

#include "explained_job.hpp"
#include "show_text.hpp"

#include <string>

// What is said of why one job does not run.
namespace tenure::cli {

// A line for each fact, with its name in front.
[[nodiscard]] std::string explained_text(const ExplainedJob& job, const ShowStyle& style);
// A document of tenure.job.why/1.
[[nodiscard]] std::string explained_json(const ExplainedJob& job);

}  // namespace tenure::cli
