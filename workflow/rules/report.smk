# expects: what Snakemake's report shows
# produces: report_all, of which `make report` writes results/report.html
# reads from config: all of it, to show it
