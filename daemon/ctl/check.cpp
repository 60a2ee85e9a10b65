// check: the same judgement of a configuration as vigild's own, without a daemon.
#include <unistd.h>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config_files.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/verbs.hpp"
#include "json/writer.hpp"
#include "paths.hpp"

namespace vigil::ctl {
namespace {

void write_strings(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    out.key(name).begin_array();
    for (const std::string& text : texts) out.value(text);
    out.end_array();
}

int valid(const std::string& path, const config::Config& config, const Options& options,
          const Terminal& terminal) {
    std::string out;
    if (options.json) {
        json::Writer writer(out);
        writer.begin_object().member("valid", true).member("tasks", config.tasks.size());
        write_strings(writer, "files", config.files);
        writer.end_object();
    } else {
        const std::size_t count = config.tasks.size();
        out = escape_for_display(path) + ": valid, " + std::to_string(count) +
              (count == 1 ? " task" : " tasks");
    }
    return terminal.print(out + "\n") ? exit_code::kDone : exit_code::kFailed;
}

int invalid(const std::vector<config::Problem>& problems, const Options& options, const Terminal& terminal) {
    // For people on standard error; a program that asked for JSON gets the same texts in its document.
    terminal.error_text(config::text(problems));
    if (options.json) {
        std::string out;
        json::Writer writer(out);
        writer.begin_object().member("valid", false).key("problems").begin_array();
        for (const config::Problem& problem : problems) writer.value(problem.text());
        writer.end_array().end_object();
        if (!terminal.print(out + "\n")) return exit_code::kFailed;
    }
    return exit_code::kBadConfig;
}

}  // namespace

int run_check(const Options& options, const Terminal& terminal) {
    std::string path = options.file;
    if (path.empty()) {
        const auto found = daemon::default_config_file(::getuid(), daemon::environment_variable);
        if (!found) {
            terminal.complain(found.error().text());
            return exit_code::kUsage;
        }
        path = *found;
    }
    daemon::ConfigFiles files;
    const auto loaded = config::load(files, path);
    if (!loaded) return invalid(loaded.error(), options, terminal);
    return valid(path, *loaded, options, terminal);
}

}  // namespace vigil::ctl
