// add: a specification from options or a file.
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/progress.hpp"
#include "ctl/session.hpp"
#include "ctl/spec_options.hpp"
#include "ctl/verbs.hpp"
#include "json/parse.hpp"

namespace vigil::ctl {
namespace {

/// What fits into one request with its name and other parameters.
constexpr std::size_t kSpecLimit = protocol::kRequestLineLimit - 4096;

/// A specification that cannot be used: what to say, and the exit code.
struct Rejection {
    std::string text;
    int exit_code;
};

Result<std::string> read_stream(std::FILE* stream, const std::string& name) {
    std::string text;
    char piece[65536];
    while (const std::size_t got = std::fread(piece, 1, sizeof piece, stream)) {
        text.append(piece, got);
        if (text.size() > kSpecLimit)
            return Failure{Error{name + " is larger than a specification may be (1 MiB)", 0}};
    }
    if (std::ferror(stream) != 0) return Failure{errno_error("reading " + name)};
    return text;
}

Result<std::string> read_spec_file(const std::string& path) {
    if (path == "-") return read_stream(stdin, "standard input");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
    if (!file) return Failure{errno_error("opening " + path)};
    return read_stream(file.get(), path);
}

Result<json::Value, Rejection> parsed_file(const std::string& path) {
    auto text = read_spec_file(path);
    if (!text) return Failure{Rejection{text.error().text(), exit_code::kFailed}};
    const std::string label = path == "-" ? "standard input" : path;
    json::Limits limits;
    limits.allow_comments = true;
    auto document = json::parse(*text, limits);
    if (!document) {
        std::string faults;
        for (const json::Problem& problem : document.error())
            faults.append(faults.empty() ? "" : "\n")
                .append(label)
                .append(":")
                .append(std::to_string(problem.place.line))
                .append(":")
                .append(std::to_string(problem.place.column))
                .append(": ")
                .append(problem.message);
        return Failure{Rejection{std::move(faults), exit_code::kBadConfig}};
    }
    if (document->root.as_object() == nullptr)
        return Failure{Rejection{label + ": a task's specification is an object", exit_code::kBadConfig}};
    return std::move(document->root);
}

Result<json::Value, Rejection> specification(const Options& options) {
    if (options.spec_file.empty()) {
        auto spec = spec_of(options);
        if (!spec) return Failure{Rejection{std::move(spec).error(), exit_code::kUsage}};
        return std::move(spec).value();
    }
    if (describes_spec(options))
        return Failure{
            Rejection{"-f gives the whole specification; leave the other options and the command out",
                      exit_code::kUsage}};
    return parsed_file(options.spec_file);
}

std::string params_of(const Options& options, const json::Value& spec) {
    std::string text;
    json::Writer out(text);
    out.begin_object().member("name", options.names.front()).key("spec").value(spec);
    if (options.persist) out.member("persist", true);
    if (options.no_wait) out.member("wait", false);
    if (options.timeout)
        out.member("timeout", std::chrono::ceil<std::chrono::milliseconds>(*options.timeout).count());
    out.end_object();
    return text;
}

}  // namespace

int run_add(const Options& options, const Terminal& terminal) {
    // Before the first look at interrupts: Ctrl-C must end the reading of standard input.
    auto spec = specification(options);
    if (!spec) {
        terminal.complain(escape_for_display(spec.error().text));
        return spec.error().exit_code;
    }
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    client::Patience patience = for_order(options, terminal);
    auto answer = [&] {
        Progress progress(options, terminal);
        progress.attach(patience);
        return client->call(protocol::Method::task_add, params_of(options, *spec), patience);
    }();
    if (!answer) return report(answer.error(), options, terminal);
    auto tasks = protocol::parse_outcomes(*answer);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    return report(*tasks, options, terminal);
}

}  // namespace vigil::ctl
