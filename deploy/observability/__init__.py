"""What watches the product: scrape configuration, rules, boards."""
