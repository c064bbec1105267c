-- Statements of training and evaluation. {source} is the schema of the shop, {cut} and {before} are
-- times; everything else is found on the search path.

-- name: take_turn
select pg_advisory_lock(6530417)

-- name: end_turn
select pg_advisory_unlock(6530417)

-- name: newest_order
-- An order that stands alone, years after the others (one tried out by hand), does not turn the
-- clock of the shop: the 28 days up to an order must hold a tenth of what is usual.
select min(ordered_at), max(ordered_at) filter (where lately >= usual / 10)
from (
    select ordered_at, lately, avg(lately) over () as usual
    from (
        select ordered_at, count(*) over (
            order by ordered_at range between interval '28 days' preceding and current row
        ) as lately
        from orders
    ) o
) o

-- name: items
select (row_number() over (order by item_id collate "C"))::int as item,
       item_id, title, price::float8 as price
from item

-- name: lines
select order_id, customer_id, item_id, ordered_at
from orders join order_line using (order_id)
where customer_id is not null and ordered_at < {before}

-- name: as_of_cut
-- The shop as it was at the cut: orders as views, so that nothing is copied.
drop table order_line, orders cascade;
create view orders as select * from {source}.orders where ordered_at < {cut};
create view order_line as
select l.* from {source}.order_line l join orders using (order_id);
-- The whole catalogue competes: everything sold before the cut, active and in stock.
insert into item (item_id, family_id, category, title, price, stock, active, created_at)
select i.item_id, i.family_id, i.category, i.title, sold.price, 1, true, sold.first_at
from {source}.item i
join (
    select item_id, min(ordered_at) as first_at,
           percentile_disc(0.5) within group (order by unit_price) as price
    from order_line join orders using (order_id) group by item_id
) sold using (item_id);
select refresh_popularity({cut});

-- name: invoices
select o.order_id, o.customer_id, o.ordered_at, array_agg(distinct l.item_id)
from {source}.orders o join {source}.order_line l using (order_id)
where o.customer_id is not null and o.ordered_at >= {cut} and o.ordered_at < {end}
group by o.order_id
order by o.ordered_at, o.order_id

-- name: admit
-- The customers who will ask, with what they had bought by the cut.
insert into customer (customer_id, country, created_at)
select customer_id, country, created_at from {source}.customer
where customer_id = any ({customers});
insert into purchase (customer_id, item_id, times, last_at)
select customer_id, item_id, count(*), max(ordered_at)
from orders join order_line using (order_id)
where customer_id = any ({customers})
group by customer_id, item_id;
analyze item, popularity, customer, purchase

-- name: catalogue
select item_id from item

-- name: bought
select customer_id, array_agg(item_id) from purchase group by customer_id

-- name: ask
select seed, array_agg(r.item_id order by r.place)
from unnest(%(seeds)s::text[]) seed
cross join lateral recommend(seed, %(customer)s, array[]::text[], %(places)s, %(family_cap)s) r
group by seed

-- name: remember
insert into purchase (customer_id, item_id, times, last_at)
select %(customer)s, i.item_id, 1, %(ordered_at)s
from item i where i.item_id = any (%(items)s)
on conflict (customer_id, item_id) do update
set times = purchase.times + 1, last_at = excluded.last_at

-- name: only_whole_shop
delete from popularity where scope <> ''

-- name: left_over_schemas
select nspname from pg_namespace where nspname like 'evaluation\_%'

-- name: new_version
insert into model_version (mlflow_run_id) values (%(run_id)s) returning model_version

-- name: forget_unpublished
delete from model_version where published_at is null

-- name: forget_old
delete from model_version
where published_at is not null and model_version not in (
    select model_version from model_version
    where published_at is not null order by published_at desc limit %(keep)s
) and model_version not in (select model_version from model_alias)

-- name: analyze_neighbours
analyze item_neighbour

-- name: serving
select v.model_version, v.mlflow_run_id, v.metrics
from model_alias a join model_version v using (model_version) where a.alias = 'champion'

-- name: mark_published
update model_version set metrics = %(metrics)s, published_at = now()
where model_version = %(version)s

-- name: serve
insert into model_alias (alias, model_version, history_items, history_weight, popularity_weight)
values ('champion', %(version)s, %(history_items)s, %(history_weight)s, %(popularity_weight)s)
on conflict (alias) do update
set model_version = excluded.model_version, history_items = excluded.history_items,
    history_weight = excluded.history_weight, popularity_weight = excluded.popularity_weight

-- name: refresh_popularity
select refresh_popularity(%(as_of)s)
