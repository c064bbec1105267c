-- Statements of loading orders, in the order in which intake.py runs them for a chunk of rows.

-- name: begin
insert into data_load (source_sha256, reading, source, rows_total)
values (%(sha256)s, %(reading)s, %(source)s, %(rows_total)s)
on conflict do nothing

-- name: forget
delete from data_load where source_sha256 = %(sha256)s and reading = %(reading)s

-- name: progress
select rows_done, lines_new, lines_known, rejected, reject_bytes, finished_at is not null
from data_load where source_sha256 = %(sha256)s and reading = %(reading)s

-- name: sources
select distinct source from data_load
where finished_at is not null or not %(finished_only)s order by source

-- name: create_staging
create temp table if not exists staged (
    row_no      int primary key,
    line_no     int not null,
    family_id   text not null,
    order_id    text not null,
    item_id     text not null,
    title       text not null,
    category    text not null,
    stock       int,
    quantity    int not null,
    ordered_at  timestamptz not null,
    unit_price  numeric(10, 2) not null,
    customer_id text,
    country     text not null
) on commit delete rows

-- name: stage
copy staged (row_no, line_no, family_id, order_id, item_id, title, category, stock, quantity,
             ordered_at, unit_price, customer_id, country) from stdin

-- name: analyze_staging
analyze staged

-- name: take_conflicts
-- Another order has the id when customer or day differ, or when the line is there with another
-- content: a shop whose order ids start again each month. Adding these would mix two orders.
delete from staged s
using (
    select distinct on (s.order_id) s.order_id,
           case when o.order_id is null then s.customer_id else o.customer_id end as customer_id,
           coalesce(o.ordered_at, s.ordered_at) as ordered_at
    from staged s left join orders o using (order_id)
    order by s.order_id, s.row_no
) same
where same.order_id = s.order_id
  and (same.customer_id is distinct from s.customer_id
       or s.ordered_at not between same.ordered_at - interval '1 day'
                               and same.ordered_at + interval '1 day'
       or exists (select from order_line l
                  where l.order_id = s.order_id and l.line_no = s.line_no
                    and (l.item_id, l.quantity, l.unit_price)
                        is distinct from (s.item_id, s.quantity, s.unit_price)))
returning s.row_no

-- name: set_stock
update item i set stock = s.stock
from (
    select distinct on (item_id) item_id, stock from staged
    where stock is not null order by item_id, row_no desc
) s
where i.item_id = s.item_id and i.stock <> s.stock

-- name: take_known
-- What is left afterwards are the lines that no earlier load brought.
delete from staged s using order_line l where l.order_id = s.order_id and l.line_no = s.line_no

-- name: add_items
-- Title, price and category are provisional until the whole file is in: see describe_items.
insert into item (item_id, family_id, category, title, price, stock, created_at)
select distinct on (item_id) item_id, family_id, 'other', coalesce(nullif(title, ''), item_id),
       unit_price, coalesce(stock, %(default_stock)s), ordered_at
from staged order by item_id, row_no desc
on conflict do nothing

-- name: add_customers
insert into customer (customer_id, country, created_at)
select distinct on (customer_id) customer_id, country, ordered_at
from staged where customer_id is not null order by customer_id, ordered_at, row_no
on conflict (customer_id) do update
set country = excluded.country, created_at = excluded.created_at
where excluded.created_at < customer.created_at

-- name: add_orders
insert into orders (order_id, customer_id, ordered_at)
select distinct on (order_id) order_id, customer_id, ordered_at
from staged order by order_id, row_no
on conflict do nothing

-- name: add_lines
insert into order_line (order_id, line_no, item_id, quantity, unit_price)
select order_id, line_no, item_id, quantity, unit_price from staged

-- name: add_purchases
insert into purchase (customer_id, item_id, times, last_at)
select customer_id, item_id, count(*), max(ordered_at)
from staged where customer_id is not null group by customer_id, item_id order by 1, 2
on conflict (customer_id, item_id) do update
set times = purchase.times + excluded.times, last_at = greatest(purchase.last_at, excluded.last_at)

-- name: add_titles
insert into item_title (item_id, title, category, lines)
select item_id, title, category, count(*) from staged group by item_id, title, category
on conflict (item_id, title, category) do update set lines = item_title.lines + excluded.lines

-- name: advance
update data_load
set rows_done = %(rows_done)s, lines_new = %(lines_new)s, lines_known = %(lines_known)s,
    rejected = %(rejected)s, reject_bytes = %(reject_bytes)s
where source_sha256 = %(sha256)s and reading = %(reading)s

-- name: describe_items
-- The price is the median that was charged, the title and category the most frequent ones, by text
-- order where two are equally frequent.
with sold as (
    select l.item_id, min(o.ordered_at) as first_at,
           percentile_disc(0.5) within group (order by l.unit_price) as price
    from order_line l join orders o using (order_id)
    group by l.item_id
), named as (
    select distinct on (item_id) item_id, title
    from item_title where title <> '' group by item_id, title
    order by item_id, sum(lines) desc, title collate "C"
), placed as (
    select distinct on (item_id) item_id, category
    from item_title where category <> '' group by item_id, category
    order by item_id, sum(lines) desc, category collate "C"
)
update item i
set title = coalesce(named.title, i.title), category = coalesce(placed.category, i.category),
    price = sold.price, created_at = sold.first_at
from sold left join named using (item_id) left join placed using (item_id)
where i.item_id = sold.item_id
  and exists (select from item_title t where t.item_id = i.item_id)

-- name: titles
select item_id, title from item order by item_id

-- name: set_categories
-- Only where no file names a category.
update item i set category = derived.category
from unnest(%(item_ids)s::text[], %(categories)s::text[]) as derived (item_id, category)
where i.item_id = derived.item_id and i.category <> derived.category
  and not exists (select from item_title t where t.item_id = i.item_id and t.category <> '')

-- name: analyze
analyze item, customer, orders, order_line, purchase, item_title

-- name: refresh_popularity
select refresh_popularity((select max(ordered_at) from orders))

-- name: finish
update data_load set finished_at = now(), rows_total = rows_done
where source_sha256 = %(sha256)s and reading = %(reading)s

-- name: totals
select (select count(*) from item), (select count(*) from customer), (select count(*) from orders)
