// How fast the output of one task gets into its log, beside `cat`, s6-log and multilog.
//
// One child writes lines in blocks of 64 KiB into a pipe, for the collector, a process `cat > file`, or a
// logger that rotates as it does. All are measured in turn, round after round, so that what else the machine
// does befalls each of them; medians are compared. A round's time ends when every byte is in the files (not
// on the disk: nobody here syncs).
//
//   output_bench [--mib 1024] [--rounds 5] [--json FILE] DIR
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "output/collector.hpp"

namespace {

using namespace vigil;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t kBlock = 64 << 10;
constexpr std::uint64_t kRotatedSize = 64 << 20;     // as s6-log and ours
constexpr std::uint64_t kMultilogSize = 16'777'215;  // the most multilog knows

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// Writes `bytes` of lines to descriptor 1 and ends.
[[noreturn]] void write_lines(std::uint64_t bytes) {
    std::string block;
    while (block.size() < kBlock)
        block += "2026-03-01 12:00:00 INFO request served in 12 ms, 200 OK, all is well\n";
    block.resize(kBlock - 1);
    block += '\n';
    for (std::uint64_t done = 0; done < bytes;) {
        const ssize_t count = ::write(1, block.data(), block.size());
        if (count <= 0) ::_exit(1);
        done += static_cast<std::uint64_t>(count);
    }
    ::_exit(0);
}

pid_t start_writer(int out, std::uint64_t bytes) {
    const pid_t pid = ::fork();
    if (pid < 0) give_up("fork");
    if (pid == 0) {
        ::dup2(out, 1);
        ::close_range(3, ~0U, 0);
        write_lines(bytes);
    }
    return pid;
}

void wait_for(pid_t pid) {
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0) {
        std::fprintf(stderr, "a child failed: status %d\n", status);
        std::exit(1);
    }
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A reader as a process of its own, started before the clock is.
double through_process(const std::vector<std::string>& argv, const std::string& to_file,
                       std::uint64_t bytes) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
    const pid_t reader = ::fork();
    if (reader < 0) give_up("fork");
    if (reader == 0) {
        ::dup2(ends[0], 0);
        if (!to_file.empty())
            ::dup2(::open(to_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), 1);
        std::vector<char*> args;
        for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
        args.push_back(nullptr);
        ::execvp(args[0], args.data());
        ::_exit(127);
    }
    ::close(ends[0]);
    const auto start = Clock::now();
    const pid_t writer = start_writer(ends[1], bytes);
    ::close(ends[1]);
    wait_for(writer);
    wait_for(reader);
    return seconds_since(start);
}

double through_collector(const std::string& path, std::uint64_t max_size, core::OutputFormat format,
                         std::uint64_t bytes) {
    auto collector = output::Collector::create({});
    if (!collector) give_up("collector");
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    auto spec = std::make_shared<core::TaskSpec>();
    spec->name = "bench";
    spec->launch.edit().output.max_size = max_size;
    spec->launch.edit().output.keep = 20;
    spec->launch.edit().output.format = format;
    output::Source source;
    source.task = core::TaskId{1};
    source.generation = core::Generation{1};
    source.spec = spec;
    source.path = path;
    source.pipe.reset(ends[0]);
    const auto start = Clock::now();
    if (!(*collector)->attach(std::move(source))) give_up("attach");
    const pid_t writer = start_writer(ends[1], bytes);
    ::close(ends[1]);
    wait_for(writer);
    (*collector)->finish(core::TaskId{1}, core::Generation{1});
    pollfd done{(*collector)->readable_fd(), POLLIN, 0};
    ::poll(&done, 1, -1);
    const double took = seconds_since(start);
    const output::Tally tally = (*collector)->tally(core::TaskId{1});
    if (tally.dropped != 0 || tally.written < bytes) {
        std::fprintf(stderr, "the collector lost output: %s\n", tally.fault.c_str());
        std::exit(1);
    }
    return took;
}

struct Column {
    std::string name;
    std::function<double(const std::string& directory, std::uint64_t bytes)> run;
    std::vector<double> rates{};  // bytes a second

    [[nodiscard]] double median() const {
        std::vector<double> sorted = rates;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

bool there_is(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

std::vector<Column> columns() {
    using core::OutputFormat;
    constexpr std::uint64_t kNever = std::uint64_t{1} << 62;
    const auto ours = [](std::uint64_t size, OutputFormat format) {
        return [=](const std::string& dir, std::uint64_t bytes) {
            return through_collector(dir + "/bench.log", size, format, bytes);
        };
    };
    std::vector<Column> all;
    all.push_back({"cat", [](const std::string& dir, std::uint64_t bytes) {
                       return through_process({"cat"}, dir + "/cat", bytes);
                   }});
    all.push_back({"vigil", ours(kNever, OutputFormat::raw)});
    all.push_back({"vigil, rotated at 64 MiB", ours(kRotatedSize, OutputFormat::raw)});
    all.push_back({"vigil, rotated at 16 MiB", ours(kMultilogSize, OutputFormat::raw)});
    all.push_back({"vigil, timestamp, 64 MiB", ours(kRotatedSize, OutputFormat::timestamp)});
    if (there_is("s6-log"))
        all.push_back({"s6-log n20 s67108864", [](const std::string& dir, std::uint64_t bytes) {
                           return through_process({"s6-log", "n20", "s67108864", dir + "/s6"}, "", bytes);
                       }});
    if (there_is("multilog"))
        all.push_back(
            {"multilog s16777215 n20", [](const std::string& dir, std::uint64_t bytes) {
                 return through_process({"multilog", "s16777215", "n20", dir + "/multilog"}, "", bytes);
             }});
    return all;
}

void write_json(const std::string& path, const std::vector<Column>& all, std::uint64_t bytes) {
    std::ofstream out(path);
    out << "{\"bytes\":" << bytes << ",\"columns\":[";
    for (std::size_t i = 0; i < all.size(); ++i) {
        out << (i == 0 ? "" : ",") << "{\"name\":\"" << all[i].name
            << "\",\"median_bytes_per_second\":" << static_cast<std::uint64_t>(all[i].median())
            << ",\"ratio_to_cat\":" << all[i].median() / all[0].median() << ",\"bytes_per_second\":[";
        for (std::size_t k = 0; k < all[i].rates.size(); ++k)
            out << (k == 0 ? "" : ",") << static_cast<std::uint64_t>(all[i].rates[k]);
        out << "]}";
    }
    out << "]}\n";
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t bytes = std::uint64_t{1024} << 20;
    int rounds = 5;
    std::string json;
    std::string directory;
    for (int i = 1; i < argc; ++i) {
        const std::string arg = argv[i];
        const bool takes_value = arg == "--mib" || arg == "--rounds" || arg == "--json";
        if (takes_value && ++i == argc) break;
        if (arg == "--mib")
            bytes = std::strtoull(argv[i], nullptr, 10) << 20;
        else if (arg == "--rounds")
            rounds = std::atoi(argv[i]);
        else if (arg == "--json")
            json = argv[i];
        else
            directory = arg;
    }
    if (directory.empty() || rounds < 1 || bytes == 0) {
        std::fprintf(stderr, "usage: output_bench [--mib N] [--rounds N] [--json FILE] DIR\n");
        return 2;
    }
    std::vector<Column> all = columns();
    const std::string work = directory + "/output_bench." + std::to_string(::getpid());
    // The first round warms up and is not counted.
    for (int round = 0; round <= rounds; ++round)
        for (Column& column : all) {
            fs::create_directories(work);
            const double took = column.run(work, bytes);
            fs::remove_all(work);
            if (round > 0) column.rates.push_back(static_cast<double>(bytes) / took);
        }
    std::printf("%-28s %10s %10s %8s\n", "", "MB/s", "best", "to cat");
    for (const Column& column : all)
        std::printf("%-28s %10.0f %10.0f %8.2f\n", column.name.c_str(), column.median() / 1e6,
                    *std::max_element(column.rates.begin(), column.rates.end()) / 1e6,
                    column.median() / all[0].median());
    if (!json.empty()) write_json(json, all, bytes);
    return 0;
}
