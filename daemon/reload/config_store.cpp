#include "reload/config_store.hpp"

#include <cerrno>
#include <filesystem>

#include "config/files.hpp"
#include "json/parse.hpp"
#include "json/writer.hpp"
#include "linux/file/durable_file.hpp"
#include "linux/file/trusted_file.hpp"

namespace vigil::daemon {

std::string stored_path(const std::string& main_file, const std::string& name) {
    const std::string path = main_file.substr(0, main_file.rfind('/')) + "/conf.d/" + name + ".json";
    return std::filesystem::path(path).lexically_normal().string();
}

Result<void> store_task(const std::string& path, const std::string& name, const json::Value& object) {
    std::string text;
    json::Writer out(text, json::Style::pretty);
    out.begin_object().member("version", 1).key("tasks").begin_object().member(name, object);
    out.end_object().end_object();
    text.push_back('\n');
    auto written = os::write_durably(path, text, 0644, os::IfExists::refuse);
    if (!written && written.error().code == EEXIST)
        return Failure{Error{path + " exists already; it was left alone", 0}};
    if (!written) return written;
    // A directory that others may write to would make the next reload refuse the whole configuration.
    if (auto trusted = os::read_trusted_file(path, config::kMaxFileBytes); !trusted) {
        (void)os::remove_durably(path);
        return Failure{std::move(trusted).error()};
    }
    return {};
}

void tidy_store(const std::string& main_file) {
    os::remove_unfinished(std::filesystem::path(stored_path(main_file, "any")).parent_path().string());
}

Result<void> check_holds_only(const std::string& path, const std::string& name) {
    auto text = os::read_trusted_file(path, config::kMaxFileBytes);
    if (!text) return Failure{std::move(text).error()};
    json::Limits limits;
    limits.allow_comments = true;
    const auto document = json::parse(*text, limits);
    const json::Value* tasks = document ? document->root.find("tasks") : nullptr;
    const json::Object* members = tasks != nullptr ? tasks->as_object() : nullptr;
    if (members == nullptr || members->size() != 1 || members->front().key != name)
        return Failure{
            Error{path + " holds more than the task " + name + "; take it out there and reload", 0}};
    return {};
}

}  // namespace vigil::daemon
